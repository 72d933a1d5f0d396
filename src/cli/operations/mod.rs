//! What commands have in common: finding a run and keeping others away from it, putting a new one together, showing how
//! it ends, going on from there. It must not know which command was typed.

pub(super) mod acquire;
pub(super) mod adopt;
pub(super) mod answers;
pub(super) mod begin;
pub(super) mod by_hand;
pub(super) mod edit;
pub(super) mod estate;
pub(super) mod find_run;
pub(super) mod give_up;
pub(super) mod go_back;
pub(super) mod holders;
pub(super) mod machine;
pub(super) mod menu;
pub(super) mod own_lab;
pub(super) mod present;
pub(super) mod previous_run;
pub(super) mod recover;
pub(super) mod ruling;
pub(super) mod scenes;
pub(super) mod site;
pub(super) mod steering;
pub(super) mod texts;
pub(super) mod typed;
pub(super) mod verified;
