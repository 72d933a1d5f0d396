//! Inventories and profiles as a user writes them.
