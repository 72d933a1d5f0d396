//! A real `sshd` on loopback that one account runs for itself, with keys of its own.

use super::site::Site;
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;

/// It listens as long as this lives.
pub struct Sshd(Child);

impl Sshd {
    /// Begins to listen at `port`. Its files are in the folder `name` of the site.
    pub fn start(site: &Site, name: &str, port: u16) -> Self {
        let folder = site.path().join(name).display().to_string();
        site.run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &format!("{folder}/host_key")]);
        let config = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {folder}/host_key\nPidFile none\nUsePAM no\nStrictModes no\n\
             AuthorizedKeysFile {}/key.pub\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n",
            site.path().display()
        );
        site.make(&format!("{name}/sshd_config"), Some(&config));
        let mut command = site.command("/usr/sbin/sshd");
        command.args(["-D", "-f", &format!("{folder}/sshd_config"), "-E", &format!("{folder}/sshd.log")]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let sshd = Self(child.expect("starts sshd: tests/run installs openssh-server"));
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        sshd
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
