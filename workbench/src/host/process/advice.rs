//! Advice for the user about a program that can't be run, from a look at its file.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// `cause` is why the system did not start it; `None` if it was started and ended. `None` if the file looks right.
pub(crate) fn advice(program: &Path, cause: Option<ErrorKind>) -> Option<String> {
    let shown = program.display();
    let status = fs::metadata(program).ok()?;
    if status.is_dir() {
        return Some("it is a directory: name the program in it".into());
    }
    if status.permissions().mode() & 0o111 == 0 {
        return Some(format!("it has no permission to be run: chmod +x {shown}"));
    }
    let head = head(program)?;
    if let Some(script) = head.strip_prefix(b"#!") {
        return about_first_line(
            &String::from_utf8_lossy(script.split(|byte| *byte == b'\n').next()?),
            program,
        );
    }
    let is_compiled = machine(&head).is_some();
    match cause? {
        ErrorKind::NotFound if is_compiled => Some(
            "the loader that it names is not there: compile it for this system, or link it statically".into(),
        ),
        ErrorKind::PermissionDenied => Some(
            "its file system does not let programs run (noexec), or a directory above it is closed".into(),
        ),
        // The system does not know this kind of file.
        _ if is_compiled && machine(&head) != this_machine() => {
            Some("it was compiled for another kind of machine: compile it for this one".into())
        }
        _ if is_compiled => None,
        _ => Some(
            "its first line names no interpreter: a script begins with a line such as #!/usr/bin/env python3"
                .into(),
        ),
    }
}

/// Says what is wrong with the line that names a script's interpreter. The line is without its `#!`.
fn about_first_line(line: &str, program: &Path) -> Option<String> {
    if line.ends_with('\r') {
        return Some(format!(
            "its lines end in CR LF, which the system does not take: sed -i 's/\\r$//' {}",
            program.display()
        ));
    }
    let line = line.trim();
    let (interpreter, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    let missing = |name: &str, place: &str| {
        Some(format!("its first line names {name}, which is not {place}: install it, or change that line"))
    };
    if !Path::new(interpreter).exists() {
        return missing(interpreter, "there");
    }
    if Path::new(interpreter).file_name().is_none_or(|name| name != "env") {
        return None;
    }
    // The system hands env all the rest as one argument, which -S splits.
    let rest = rest.trim();
    let is_split = rest.starts_with("-S") || rest.starts_with("--split-string");
    if !is_split && rest.contains(' ') {
        return Some(format!(
            "env takes all of its first line for one name: write #!{interpreter} -S {rest}"
        ));
    }
    let words = rest.trim_start_matches("-S").split_whitespace();
    let name = words.into_iter().find(|word| !word.starts_with('-') && !word.contains('='))?;
    if which::which(name).is_ok() { None } else { missing(name, "in PATH") }
}

/// The beginning of a file.
fn head(program: &Path) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    File::open(program).ok()?.take(512).read_to_end(&mut head).ok()?;
    Some(head)
}

/// The kind of machine that a compiled program (ELF) is for: its word size, byte order and processor.
fn machine(head: &[u8]) -> Option<(u8, u8, [u8; 2])> {
    let rest = head.strip_prefix(b"\x7fELF")?;
    Some((*rest.first()?, *rest.get(1)?, rest.get(14..16)?.try_into().ok()?))
}

fn this_machine() -> Option<(u8, u8, [u8; 2])> {
    machine(&head(&std::env::current_exe().ok()?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_line_is_understood() {
        let about = |line: &str| about_first_line(line, Path::new("x")).unwrap_or_default();
        for fine in ["/bin/sh", "/bin/sh -e", " /bin/sh", "/usr/bin/env sh", "/usr/bin/env -S A=1 sh -e"] {
            assert_eq!(about(fine), "", "{fine}");
        }
        assert!(about("/no/such/python").contains("names /no/such/python, which is not there"));
        assert!(about("/usr/bin/env no-such-python").contains("names no-such-python, which is not in PATH"));
        assert!(about("/usr/bin/env -S no-such-python -u").contains("names no-such-python, which"));
        assert!(about("/usr/bin/env sh -e").contains("-S sh -e"));
        assert!(about("/bin/sh\r").contains("CR LF"));
    }

    #[test]
    fn this_program_is_for_this_machine() {
        assert!(this_machine().is_some());
        assert_eq!(machine(b"\x7fELF\x02"), None);
    }
}
