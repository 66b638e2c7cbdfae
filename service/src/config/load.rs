//! Reads the settings from where they may stand.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::{Config, SETTINGS, Setting};

/// How many bytes a configuration file may have.
const MAX_FILE: u64 = 1 << 20;

/// The variable that names the configuration file.
const CONFIG_VARIABLE: &str = "COUNTERD_CONFIG";

/// Where settings may stand.
#[derive(Debug, Default)]
pub struct Sources {
    /// The values of flags, by key.
    pub flags: BTreeMap<&'static str, String>,
    /// The file that the flag `--config` names.
    pub file: Option<PathBuf>,
    /// The environment.
    pub variables: BTreeMap<OsString, OsString>,
}

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Nowhere: it is the default.
    Default,
    /// A line of the file. The first one is 1.
    File(PathBuf, usize),
    /// An environment variable.
    Variable(String),
    /// A flag.
    Flag(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(file, line) => write!(f, "{}, line {line}", file.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(key) => write!(f, "--{key}"),
        }
    }
}

/// What is set, and where each value stands.
#[derive(Debug)]
pub struct Loaded {
    /// What is set.
    pub config: Config,
    places: BTreeMap<&'static str, Place>,
}

/// A value, and where it stands.
type Given = (Place, String);

impl Sources {
    /// Reads the settings. An environment variable that is empty counts as unset.
    ///
    /// # Errors
    ///
    /// What is wrong with a value, with the place where it stands.
    pub fn load(&self) -> Result<Loaded, String> {
        let file = match (&self.file, self.text(CONFIG_VARIABLE)?) {
            (Some(file), _) => Some(file.clone()),
            (None, variable) => variable.map(PathBuf::from),
        };
        let mut from_file = file.as_deref().map(read_file).transpose()?.unwrap_or_default();
        let mut loaded = Loaded { config: Config::default(), places: BTreeMap::new() };
        for setting in SETTINGS {
            let of_flag = self.flags.get(setting.key).map(|text| (Place::Flag(setting.key), text.clone()));
            let of_variable = self.in_environment(setting)?;
            // The later one wins. A value that is wrong is refused even where another one wins.
            for (place, text) in [from_file.remove(setting.key), of_variable, of_flag].into_iter().flatten() {
                let set = (setting.set)(&mut loaded.config, &text);
                set.map_err(|problem| wrong(&place, setting, &problem))?;
                loaded.places.insert(setting.key, place);
            }
        }
        loaded.check()?;
        Ok(loaded)
    }

    fn in_environment(&self, setting: &Setting) -> Result<Option<Given>, String> {
        let name = setting.variable();
        Ok(self.text(&name)?.map(|text| (Place::Variable(name), text)))
    }

    /// The text of an environment variable.
    fn text(&self, name: &str) -> Result<Option<String>, String> {
        let value = self.variables.get(OsStr::new(name)).filter(|value| !value.is_empty());
        value
            .map(|value| value.clone().into_string())
            .transpose()
            .map_err(|_| format!("{name}: the value is not UTF-8"))
    }
}

impl Loaded {
    /// Where the value of a setting stands.
    pub fn place(&self, key: &str) -> &Place {
        self.places.get(key).unwrap_or(&Place::Default)
    }

    /// Refuses settings that do not go together.
    fn check(&self) -> Result<(), String> {
        self.check_pair(self.config.tls.as_ref(), "tls-cert", "tls-key")?;
        self.check_pair(self.config.nats_tls.as_ref(), "nats-cert", "nats-key")?;
        self.check_cluster()
    }

    /// A certificate needs its key, and a key its certificate.
    fn check_pair(&self, pair: Option<&(PathBuf, PathBuf)>, cert: &str, key: &str) -> Result<(), String> {
        match pair {
            Some((path, _)) if path.as_os_str().is_empty() => {
                Err(format!("{}: TLS needs the certificate too: set {cert}", self.place(key)))
            }
            Some((_, path)) if path.as_os_str().is_empty() => {
                Err(format!("{}: TLS needs the key too: set {key}", self.place(cert)))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A node of a cluster needs servers, the name of the cluster and a name of its own.
    fn check_cluster(&self) -> Result<(), String> {
        let Config { nats, cluster, node, .. } = &self.config;
        match (!nats.is_empty(), cluster.is_some(), node.is_some()) {
            (true, false, _) => {
                Err(format!("{}: a node needs the name of its cluster: set cluster", self.place("nats")))
            }
            (true, true, false) => {
                Err(format!("{}: in a cluster a node needs a name: set node", self.place("nats")))
            }
            (true, true, true) => Ok(()),
            (false, ..) => {
                let useless = ["cluster", "site", "nats-creds", "nats-ca", "nats-cert", "nats-key"];
                let set =
                    useless.into_iter().map(|key| self.place(key)).find(|place| **place != Place::Default);
                set.map_or(Ok(()), |place| Err(format!("{place}: it is of no use without NATS: set nats")))
            }
        }
    }
}

/// The settings as a file that can be used, with a comment that says where each value stands.
impl fmt::Display for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut heading = "";
        for setting in SETTINGS {
            if heading != setting.heading {
                let gap = if heading.is_empty() { "" } else { "\n" };
                heading = setting.heading;
                writeln!(f, "{gap}# {heading}")?;
            }
            match (setting.show)(&self.config) {
                Some(text) => {
                    writeln!(f, "{} = {} # {}", setting.key, value(&text), self.place(setting.key))?;
                }
                None => writeln!(f, "# {} is not set", setting.key)?,
            }
        }
        Ok(())
    }
}

/// The value of TOML that a text stands for.
fn value(text: &str) -> toml::Value {
    let number = text.parse::<i64>().ok().filter(|number| number.to_string() == text);
    let number = number.map(toml::Value::Integer);
    let boolean = || text.parse().ok().map(toml::Value::Boolean);
    number.or_else(boolean).unwrap_or_else(|| text.into())
}

fn wrong(place: &Place, setting: &Setting, problem: &str) -> String {
    match place {
        Place::File(..) => format!("{place}: {}: {problem}", setting.key),
        Place::Default | Place::Variable(_) | Place::Flag(_) => format!("{place}: {problem}"),
    }
}

/// The values in a file, by key.
fn read_file(file: &Path) -> Result<BTreeMap<&'static str, Given>, String> {
    let name = file.display();
    let text =
        read_text(file).map_err(|problem| format!("can't read the configuration {name}: {problem}"))?;
    let line_of = |offset: usize| 1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count();
    let table = DeTable::parse(&text).map_err(|error| {
        let line = line_of(error.span().map_or(0, |span| span.start));
        format!("{name}, line {line}: {}", error.message().trim_end().replace('\n', ", "))
    })?;
    let mut values = BTreeMap::new();
    for (key, value) in table.get_ref() {
        let line = line_of(key.span().start);
        let known = SETTINGS.iter().find(|setting| setting.key == key.get_ref().as_ref());
        let setting = known.ok_or_else(|| {
            let keys: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).collect();
            format!(
                "{name}, line {line}: there is no setting {}. There are: {}",
                key.get_ref(),
                keys.join(", ")
            )
        })?;
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_owned(),
            DeValue::Boolean(boolean) => boolean.to_string(),
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => {
                let key = setting.key;
                return Err(format!("{name}, line {line}: {key} takes a string, a number or a boolean"));
            }
        };
        values.insert(setting.key, (Place::File(file.into(), line), text));
    }
    Ok(values)
}

fn read_text(file: &Path) -> Result<String, String> {
    use std::io::Read;
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(|error| error.to_string())?;
    opened.take(MAX_FILE + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 > MAX_FILE { Err("it has more than 1 MiB".into()) } else { Ok(text) }
}
