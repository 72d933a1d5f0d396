//! Where what a job wrote lies on its host, for a person who looks there. It reads nothing.

/// Where a host keeps what a job wrote, as a person who is logged in there finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptOutput {
    /// The file of its standard output.
    pub out: String,
    /// The name of the file of its standard error, in the same folder.
    pub err: String,
}
