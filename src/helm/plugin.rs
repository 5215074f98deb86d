//! The post-renderer plug-in of Helm 4, and where Helm looks for it.
//!
//! Helm 4 takes a post-renderer by the name of a plug-in of type `postrenderer/v1` only. A Helm 3 that finds one in a
//! folder of its plug-ins loads none of them (`pkg/plugin/plugin.go`, "failed to load plugins"), and both look in the
//! same folder; so ours goes into another, which only `HELM_PLUGINS` names. Of several of a name the first folder's
//! counts (seen with 4.3.1).

use std::env::JoinPathsError;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::contract::PLUGIN;

/// The plug-in's description. Its command is found on the PATH.
pub const PLUGIN_YAML: &str = include_str!("../../helm4/plugin.yaml");

/// The variable that names the program in [`private_plugin_yaml`]. Helm expands it after it has split the command at
/// blanks, so a path with blanks is safe.
pub const PROGRAM: &str = "HELM_ROUTING_SECRETS_PROGRAM";

/// The variable with the file into which `post-render` writes its report in words, for `helm routing-secrets`.
pub const REPORT: &str = "HELM_ROUTING_SECRETS_REPORT";

/// The variable with the file into which `post-render` writes what it changes, for `helm routing-secrets --diff`.
pub const DIFF: &str = "HELM_ROUTING_SECRETS_DIFF";

/// The same plug-in for one run of Helm, with the program that the environment names.
#[must_use]
pub fn private_plugin_yaml() -> String {
    PLUGIN_YAML.replace(&format!("command: {PLUGIN}"), &format!("command: ${{{PROGRAM}}}"))
}

/// Helm's major version, from what `helm version --template {{.Version}}` prints (`v4.3.1`, `v3.19.0+g3d8990f`).
#[must_use]
pub fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// The folder of our own beside the one in which every Helm looks.
#[must_use]
pub fn own_folder(helm_data_home: &Path) -> PathBuf {
    helm_data_home.join("helm4-plugins")
}

/// Whether a value of `HELM_PLUGINS` names the folder.
#[must_use]
pub fn names(plugins: &OsStr, folder: &Path) -> bool {
    std::env::split_paths(plugins).any(|known| known == folder)
}

/// The value of `HELM_PLUGINS` with one folder more at its end.
///
/// # Errors
/// When the folder's path holds the character that separates folders.
pub fn with_folder(plugins: &OsStr, folder: &Path) -> Result<OsString, JoinPathsError> {
    let folders: Vec<PathBuf> = std::env::split_paths(plugins).collect();
    std::env::join_paths(folders.iter().map(PathBuf::as_path).chain([folder]))
}

/// The line for a shell that sets the variable.
#[must_use]
pub fn export_line(plugins: &str) -> String {
    if cfg!(windows) {
        format!("$env:HELM_PLUGINS = '{}'", plugins.replace('\'', "''"))
    } else {
        format!("export HELM_PLUGINS={}", quoted(plugins))
    }
}

/// The line for a POSIX shell that sets the variable for one helm alone, where another would stumble over it.
#[must_use]
pub fn alias_line(helm: &str, plugins: &str) -> String {
    format!("alias {helm}={}", quoted(&format!("HELM_PLUGINS={} {helm}", quoted(plugins))))
}

/// One word for a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_plugin_differs_in_its_command_only() {
        let yaml = private_plugin_yaml();
        assert!(yaml.contains("- command: ${HELM_ROUTING_SECRETS_PROGRAM}\n"), "{yaml}");
        assert_eq!(yaml.replace("${HELM_ROUTING_SECRETS_PROGRAM}", PLUGIN), PLUGIN_YAML);
        assert!(yaml.contains(&format!("\nname: {PLUGIN}\n")), "{yaml}");
    }

    #[test]
    fn every_plugin_has_the_version_of_the_program() {
        let version = format!("\nversion: {}\n", env!("CARGO_PKG_VERSION"));
        for yaml in [PLUGIN_YAML, include_str!("../../plugin.yaml")] {
            assert!(yaml.contains(&version), "{yaml}");
        }
    }

    #[test]
    fn the_plugin_of_both_helms_has_only_fields_that_every_helm_3_knows() {
        let yaml: serde_json::Value = serde_saphyr::from_str(include_str!("../../plugin.yaml")).unwrap();
        let known = ["name", "version", "usage", "description", "command", "hooks"];
        for field in yaml.as_object().unwrap().keys() {
            assert!(known.contains(&field.as_str()), "{field}");
        }
    }

    #[test]
    fn the_major_version_is_read() {
        for (text, expected) in [
            ("v4.3.1", Some(4)),
            ("v3.19.0+g3d8990f\n", Some(3)),
            ("v2.17.0", Some(2)),
            ("Client: v2.17.0", None),
            ("", None),
        ] {
            assert_eq!(major(text), expected, "{text:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_is_added_to_the_list() {
        let own = Path::new("/h/helm4-plugins");
        assert_eq!(with_folder("/a:/b".as_ref(), own).unwrap(), "/a:/b:/h/helm4-plugins");
        assert!(names("/a:/h/helm4-plugins/".as_ref(), own) && !names("/a:/h".as_ref(), own));
        assert!(with_folder("/a".as_ref(), Path::new("/with:colon")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn lines_for_a_shell_hold_any_path() {
        let plugins = "/it's here/a:/b c";
        let script = format!("{}\nprintf %s \"$HELM_PLUGINS\"", export_line(plugins));
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), plugins);
        let line = alias_line("seen", plugins);
        let script = format!("seen() {{ printf %s \"$HELM_PLUGINS\"; }}\n{}", line.replacen("alias seen=", "eval ", 1));
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), plugins);
    }
}
