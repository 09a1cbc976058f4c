from . import errors
def __getattr__(name):
    if name=="record":
        from .torch.recorder import record
        return record
    raise AttributeError(name)
