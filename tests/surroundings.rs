//! The folder and the variables of a command, through the real binary.

use crate::support::Baton;

#[test]
fn a_command_runs_in_its_folder_and_sees_its_variables() {
    let baton = Baton::new();
    let runbook = "//! Looks around\nlet h = host(\"here\");\n\
        let seen = run(h, [\"sh\", \"-c\", \"pwd; printf %s \\\"$A_B\\\"\"], \
        #{ cwd: \"/usr/share\", env: #{ A_B: \"it's $(not) `read`\" } });\nnote(seen.output);\n";
    baton.write("runbooks/own/t.rhai", runbook).write("site.toml", "[hosts.here]\naddress = \"local\"\n");
    let ended = baton.run(&["run", "own/t", "-i", "site.toml"]).code(0);
    ended.says("/usr/share").says("it's $(not) `read`");
}

#[test]
fn a_folder_must_be_a_full_path_and_a_variable_needs_a_name() {
    let baton = Baton::new();
    baton.write("site.toml", "[hosts.here]\naddress = \"local\"\n");
    for (options, said) in [("cwd: \"here\"", "is not a full path"), ("env: #{ \"A=B\": \"x\" }", "name of a variable")]
    {
        let runbook = format!("//! Wrong\nrun(host(\"here\"), [\"true\"], #{{ {options} }});\n");
        baton.write("runbooks/own/t.rhai", &runbook);
        baton.run(&["run", "own/t", "-i", "site.toml"]).code(2).says(said);
    }
}
