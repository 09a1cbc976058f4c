# SPDX-License-Identifier: Apache-2.0
"""What a run that will be proven is bound to before it begins: program, data card, ticket, and the order they fix.

The program is the repository's `program.flair`; the card lies in the folder that `flair data register` made; the ticket
is the hub's (docs/formats/ticket.md). Seed and order follow. Once the ticket is in the repository no hub is needed.
"""
import json
import pathlib

from . import _core, errors, programs


class Assignment:
    """`program`: a Program; `card`: its id; `ticket`: its id; `seed`: 64 hex digits; `records`: rows of the data set;
    `folder`: where the card lies."""

    def __init__(self, program, folder, card, records, ticket, seed):
        self.program, self.folder, self.card, self.records = program, folder, card, records
        self.ticket, self.seed = ticket, seed
        self.per_epoch = records // program.batch  # steps; what is left of an epoch is not read
        self._drawn = 0, []  # the first step of an epoch, and its batches

    def check_size(self, size):
        """Errors: InvalidArgument unless the loop's data set has the card's records."""
        if size != self.records:
            raise errors.InvalidArgument(f"record: data= has {size} rows, the card of {self.folder} {self.records}",
                                         "train on the data set that was registered, whole and in its order")

    def rows(self, step):
        """The rows of a step's batch, in order. From any thread."""
        first, batches = self._drawn
        if not first <= step < first + len(batches):
            first = step - step % self.per_epoch
            batches = _core.draw_batches(self.seed, self.records, self.program.batch, self.per_epoch, first)
            self._drawn = first, batches
        return batches[step - first]

    def rest_of_epoch(self, step):
        """The batches from `step` to the end of its epoch."""
        for number in range(step, step - step % self.per_epoch + self.per_epoch):
            yield self.rows(number)

    def check_rows(self, step, rows):
        """Errors: InvalidArgument when a step read other rows than its number draws: it could not be proven."""
        if list(rows) != self.rows(step):
            raise errors.InvalidArgument(
                f"record: step {step} read other rows than the ticket's seed draws",
                "one batch a step: no accumulation, no skipped step, batches of a DataLoader over data=")

    def settings(self):
        return {"seed": self.seed, "data": str(self.folder)}


def _card(folder):
    path = pathlib.Path(folder).resolve() / "card.json"
    try:
        text = path.read_text("utf-8")
        return path.parent, text, int(json.loads(text)["records"])
    except FileNotFoundError:
        raise errors.NotFound(f"record: {path.parent} holds no registered data set", "`flair data register` makes one") from None
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        raise errors.IntegrityError(f"record: {path}: {error}", "take card.json from a backup") from None


def assign(repo, card, keypair=None):
    """The assignment of the next run from HEAD on the data of `card`, the folder of a registered data set.

    Errors: NotFound (no program.flair, no card, no commit), Unavailable (the hub, when the ticket is not here yet),
    Unauthorised, Conflict (the card is another wallet's), Unsupported (a program with dropout), InvalidArgument.
    """
    program = programs.load(repo.path)
    folder, text, records = _card(card)
    if records < program.batch:
        raise errors.InvalidArgument(f"record: batches of {program.batch} from {records} records",
                                     "a program with a smaller batch, or more data")
    if any(" = dropout(" in line for line in program.text.splitlines()):
        raise errors.Unsupported("record: the program draws dropout in public, and the framework would draw its own",
                                 "a model without dropout, or leave card= out: it is recorded, and cannot be proven")
    given = repo.ticket(text, keypair=keypair)
    return Assignment(program, folder, given["card"], records, given["ticket"], given["seed"])
