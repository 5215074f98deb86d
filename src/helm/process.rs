//! The helm above us: the only module of `helm` that reads from the system.

use super::arguments::{HelmLine, LineError, read};

/// No real chain of shells and wrappers is longer; a loop would be.
const HIGHEST: usize = 64;

/// A process as far as it matters here.
#[derive(Clone, PartialEq, Eq)]
pub struct Process {
    /// The program's name as the system keeps it (Linux: at most 15 bytes).
    pub name: String,
    /// The command line, the program first. Never shown: it may hold tokens.
    pub arguments: Vec<String>,
}

/// The command line of the nearest ancestor that is a helm and renders; `None` when there is none.
pub fn helm_ancestor() -> Result<Option<HelmLine>, LineError> {
    nearest(ancestors())
}

/// The first of the processes, nearest first, that is a helm and renders.
///
/// A wrapper between (a shell, `helm diff`, helmfile) is passed over; the first rendering line that cannot be read
/// ends the search, as a helm further up would be another release.
pub fn nearest(processes: impl IntoIterator<Item = Process>) -> Result<Option<HelmLine>, LineError> {
    for process in processes.into_iter().take(HIGHEST) {
        let Some((program, arguments)) = process.arguments.split_first() else {
            continue;
        };
        if (is_helm(program) || is_helm(&process.name))
            && let Some(line) = read(arguments)?
        {
            return Ok(Some(line));
        }
    }
    Ok(None)
}

/// `helm`, `helm3`, `/opt/helm-v4.1/helm`, `C:\bin\helm.exe`
fn is_helm(program: &str) -> bool {
    let file = program.rsplit(['/', '\\']).next().unwrap_or_default();
    file.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("helm"))
}

/// Our parent, its parent and so on, up to one that cannot be read.
#[cfg(target_os = "linux")]
fn ancestors() -> impl Iterator<Item = Process> {
    let mut next = Some(std::os::unix::process::parent_id());
    std::iter::from_fn(move || {
        let id = next.filter(|id| *id > 0)?;
        let file = |name: &str| std::fs::read(format!("/proc/{id}/{name}")).ok();
        let (stat, line) = (file("stat")?, file("cmdline")?);
        let (name, parent) = name_and_parent(&stat).unwrap_or_default();
        next = parent;
        Some(Process { name: String::from_utf8_lossy(name).into_owned(), arguments: words(&line) })
    })
}

/// The program's name and the parent's id in `/proc/ID/stat` (proc_pid_stat(5)): what stands between the first `(` and
/// the last `)`, as the name may hold blanks and parentheses, and the second field after it.
#[cfg(any(target_os = "linux", test))]
fn name_and_parent(stat: &[u8]) -> Option<(&[u8], Option<u32>)> {
    let (start, end) = (memchr::memchr(b'(', stat)?, memchr::memrchr(b')', stat)?);
    let rest = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
    Some((stat.get(start + 1..end)?, rest.split_ascii_whitespace().nth(1).and_then(|id| id.parse().ok())))
}

/// `/proc/ID/cmdline`: every argument, empty ones too, ends with NUL.
#[cfg(any(target_os = "linux", test))]
fn words(line: &[u8]) -> Vec<String> {
    let line = line.strip_suffix(b"\0").unwrap_or(line);
    if line.is_empty() {
        return Vec::new();
    }
    line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

/// Untested: macOS (sysctl) and Windows (PEB), by way of sysinfo.
#[cfg(any(target_os = "macos", windows))]
fn ancestors() -> impl Iterator<Item = Process> {
    use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

    let wanted = ProcessRefreshKind::nothing().with_cmd(UpdateKind::Always);
    let mut system = System::new();
    let own = sysinfo::get_current_pid().ok();
    let mut refresh = move |id: Pid| {
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[id]), true, wanted);
        let process = system.process(id)?;
        let found = Process {
            name: process.name().to_string_lossy().into_owned(),
            arguments: process.cmd().iter().map(|word| word.to_string_lossy().into_owned()).collect(),
        };
        Some((found, process.parent(), process.start_time()))
    };
    // Windows keeps the id of a parent that has ended, and gives it to another: a parent is not younger.
    let (mut next, mut youngest) = match own.and_then(&mut refresh) {
        Some((_, parent, started)) => (parent, started),
        None => (None, 0),
    };
    std::iter::from_fn(move || {
        let (found, parent, started) = refresh(next?)?;
        if started > youngest {
            return None;
        }
        (next, youngest) = (parent, started);
        Some(found)
    })
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn ancestors() -> impl Iterator<Item = Process> {
    std::iter::empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(name: &str, line: &str) -> Process {
        Process { name: name.to_owned(), arguments: line.split_whitespace().map(str::to_owned).collect() }
    }

    #[test]
    fn the_nearest_rendering_helm_is_found() {
        for (trap, chain, namespace) in [
            ("helm", &[("helm", "helm template x c -n a")] as &[_], Some("a")),
            ("a path", &[("helm", "/opt/x/helm3 template x c -n a")], Some("a")),
            ("Windows", &[("Helm.exe", r"C:\bin\Helm.EXE template x c -n a")], Some("a")),
            ("renamed, known by comm", &[("helm-v4", "h4 template x c -n a")], Some("a")),
            ("a shell between", &[("sh", "sh -c x"), ("helm", "helm upgrade -in a x c")], Some("a")),
            ("nearest", &[("helm", "helm template x c -n a"), ("helm", "helm upgrade x c -n b")], Some("a")),
            (
                "a plugin above",
                &[("helm", "helm template x c -n a"), ("diff", "diff upgrade"), ("helm", "helm diff upgrade -n b")],
                Some("a"),
            ),
            ("a plugin between", &[("helm", "helm secrets template"), ("helm", "helm template x c -n b")], Some("b")),
            (
                "a shell script named helm",
                &[("helm", "/bin/sh /bin/helm upgrade x c -n b"), ("helm", "helm upgrade x c -n a")],
                Some("a"),
            ),
            ("no line", &[("helm", ""), ("helm", "helm template x c -n a")], Some("a")),
            ("not helm", &[("terraform", "terraform template x c -n a")], None),
            ("a letter short", &[("hel", "hel template x c -n a")], None),
            ("none", &[], None),
        ] {
            let chain = chain.iter().map(|(name, line)| process(name, line));
            let found = nearest(chain).unwrap().and_then(|line| line.namespace);
            assert_eq!(found.as_deref(), namespace, "{trap}");
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_ends_the_search() {
        let chain = ["helm template x c --new-flag y", "helm template x c -n a"];
        let chain = chain.iter().map(|line| process("helm", line));
        assert_eq!(nearest(chain), Err(LineError::Unknown("--new-flag".into())));
    }

    #[test]
    fn a_loop_of_parents_ends() {
        let chain = std::iter::repeat_with(|| process("sh", "sh"));
        assert_eq!(nearest(chain), Ok(None));
    }

    #[test]
    fn any_name_is_read_and_the_parent_behind_it() {
        for (trap, stat, expected) in [
            ("plain", b"12 (helm) S 7 12 12 0" as &[u8], Some((b"helm" as &[u8], Some(7)))),
            ("blanks and parentheses", b"12 (a) S 9 (b) ) S 7 12", Some((b"a) S 9 (b) ", Some(7)))),
            ("not UTF-8", b"12 (\xff) S 7 12", Some((b"\xff", Some(7)))),
            ("a line break", b"12 (a\n) S 7 12", Some((b"a\n", Some(7)))),
            ("the first process", b"1 (init) S 0 1", Some((b"init", Some(0)))),
            ("cut", b"12 (helm", None),
            ("cut later", b"12 (helm) S", Some((b"helm", None))),
            ("the wrong way round", b"12 )helm( S 7", None),
            ("empty", b"", None),
        ] {
            assert_eq!(name_and_parent(stat), expected, "{trap}");
        }
    }

    #[test]
    fn empty_arguments_are_kept() {
        for (trap, line, expected) in [
            ("plain", b"helm\0-n\0a\0" as &[u8], &["helm", "-n", "a"] as &[&str]),
            ("empty at the end", b"helm\0-n\0\0", &["helm", "-n", ""]),
            ("no NUL at the end", b"helm: x", &["helm: x"]),
            ("kernel thread", b"", &[]),
            ("not UTF-8", b"a\xff\0", &["a\u{fffd}"]),
        ] {
            assert_eq!(words(line), expected, "{trap}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn our_own_ancestors_are_read() {
        let first = ancestors().next().unwrap();
        assert!(!first.name.is_empty() && !first.arguments.is_empty());
        assert!(ancestors().count() < HIGHEST);
    }
}
