//! The binary. It must hold no logic: everything is in the library, where tests reach it.

fn main() {}
