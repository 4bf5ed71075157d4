//! What the machine has, how it is, and who may use it.
