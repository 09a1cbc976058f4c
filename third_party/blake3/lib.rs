//! Nothing here: this crate only pins a dependency.
