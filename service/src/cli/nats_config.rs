//! `counterd nats-config`: what NATS servers need to know of a cluster.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use cluster::nats::is_cluster_name;
use cluster::{Names, Rights};
use nkeys::KeyPair;

use super::client::Failure;

/// `counterd nats-config`
#[derive(Debug, clap::Args)]
pub struct NatsConfig {
    /// The name of the cluster.
    #[arg(long, value_name = "NAME", value_parser = name)]
    cluster: String,
    /// The nodes of the cluster or, with --site, those of this site.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', required = true, value_parser = name)]
    nodes: Vec<String>,
    /// The directory of the nodes' keys. It prints a whole configuration, and makes the keys that are missing: each node gets DIR/NODE.nk
    /// for its --nats-creds, the servers know the public halves only. Without it: the subjects alone, for users that are kept elsewhere.
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// The hosts of the servers, if there are several: each stream has three copies then. All take the same configuration.
    #[arg(long, value_name = "HOST,...", value_delimiter = ',')]
    servers: Vec<String>,
    /// The directory with server.pem, server.key and ca.pem, as the servers see it. Then nodes need certificates of that authority.
    #[arg(long, value_name = "DIR")]
    tls: Option<PathBuf>,
    /// Nodes that may forget others: they may write to any node's log.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', value_parser = name)]
    may_forget: Vec<String>,
    /// The site of these nodes, if the cluster has several.
    #[arg(long, value_name = "NAME", value_parser = name)]
    site: Option<String>,
    /// The other sites, if they connect to the servers of this one.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', requires = "site", value_parser = name)]
    other_sites: Vec<String>,
    /// The hosts of the servers of another site, if those of this one connect to it.
    #[arg(
        long,
        value_name = "HOST,...",
        value_delimiter = ',',
        requires = "site",
        conflicts_with = "other_sites"
    )]
    hub: Vec<String>,
}

fn name(text: &str) -> Result<String, String> {
    if is_cluster_name(text) {
        Ok(text.into())
    } else {
        Err("it has 1 to 32 letters, digits, - and _".into())
    }
}

/// What a user of the servers may do.
struct User {
    name: String,
    publish: String,
    subscribe: String,
}

impl NatsConfig {
    pub(super) fn run(&self) -> Result<String, Failure> {
        let nodes: BTreeSet<&String> = self.nodes.iter().collect();
        if nodes.len() < self.nodes.len() {
            return Err(Failure::new("--nodes: two nodes have the same name"));
        }
        match &self.keys {
            Some(keys) => Ok(self.configuration(keys)?),
            None => Ok(self.subjects()),
        }
    }

    /// What a node may do.
    fn rights(&self, node: &str) -> Rights {
        let names = Names::new(&self.cluster, node.into()).at(self.site.clone());
        let mut rights = names.rights();
        if self.may_forget.iter().any(|name| name == node) {
            rights.publish.extend(names.right_to_forget());
        }
        rights
    }

    /// The subjects of each node, a line each.
    fn subjects(&self) -> String {
        let mut text = String::new();
        for node in &self.nodes {
            let Rights { publish, subscribe } = self.rights(node);
            for (verb, subjects) in [("publish", publish), ("subscribe", subscribe)] {
                for subject in subjects {
                    let _written = writeln!(text, "{node} {verb} {subject}");
                }
            }
        }
        text
    }

    /// A configuration of the servers.
    fn configuration(&self, keys: &Path) -> Result<String, String> {
        let mut text = self.heading(keys);
        let domain =
            self.site.as_ref().map(|site| format!("    domain: {}\n", quoted(site))).unwrap_or_default();
        text += "port: 4222\n";
        text += "jetstream {\n    store_dir: \"./nats-data\"\n";
        text += "    # What is acknowledged is on the disk. The default is to sync every two minutes.\n";
        text += "    sync_interval: always\n";
        text += &domain;
        text += "}\n";
        text += &self.tls_block("");
        if !self.servers.is_empty() {
            let routes = list(self.servers.iter().map(|host| format!("nats-route://{host}:6222")));
            let name = quoted(self.site.as_ref().unwrap_or(&self.cluster));
            let tls = self.tls_block("    ");
            let _written =
                write!(text, "cluster {{\n    name: {name}\n    port: 6222\n    routes: {routes}\n{tls}}}\n");
        }
        text += &self.leaf_nodes();
        text += "authorization {\n    users: [\n";
        for user in self.users() {
            let key = public_key(&keys.join(format!("{}.nk", user.name)))?;
            let User { name, publish, subscribe } = user;
            let _written = write!(
                text,
                "        # {name}\n        {{\n            nkey: {key}\n            permissions {{\n                publish {publish}\n\
                 \x20               subscribe {subscribe}\n            }}\n        }}\n"
            );
        }
        text += "    ]\n}\n";
        Ok(text)
    }

    /// How to use it.
    fn heading(&self, keys: &Path) -> String {
        let (cluster, keys) = (&self.cluster, keys.display());
        let node = self.nodes.first().map_or("", String::as_str);
        let host = self.servers.first().map_or("127.0.0.1", String::as_str);
        let site = self.site.as_ref().map(|site| format!(" --site {site}")).unwrap_or_default();
        let (scheme, ca) = match &self.tls {
            Some(directory) => {
                ("tls", format!(" --nats-ca {}/ca.pem --nats-cert FILE --nats-key FILE", directory.display()))
            }
            None => ("nats", String::new()),
        };
        let seed = match (&self.site, self.hub.is_empty()) {
            (Some(site), false) => format!("COUNTERD_SITE_KEY=$(cat {keys}/site-{site}.nk) "),
            (Some(_) | None, _) => String::new(),
        };
        format!(
            "# NATS for the cluster {cluster}. Start each server with a name of its own, and each node with its key:\n#\n\
             #   {seed}nats-server -c THIS_FILE -n {host}\n\
             #   counterd --cluster {cluster}{site} --node {node} --nats {scheme}://{host}:4222 --nats-creds {keys}/{node}.nk{ca}\n\n"
        )
    }

    fn tls_block(&self, indent: &str) -> String {
        let Some(directory) = &self.tls else { return String::new() };
        let file = |name| quoted(&directory.join(name).display().to_string());
        let (certificate, key, ca) = (file("server.pem"), file("server.key"), file("ca.pem"));
        format!(
            "{indent}tls {{\n{indent}    cert_file: {certificate}\n{indent}    key_file: {key}\n{indent}    ca_file: {ca}\n\
             {indent}    # Whoever connects needs a certificate of this authority.\n{indent}    verify: true\n{indent}}}\n"
        )
    }

    /// How this site and others are connected.
    fn leaf_nodes(&self) -> String {
        let tls = |indent| self.tls_block(indent);
        if !self.other_sites.is_empty() {
            return format!(
                "# The servers of the other sites connect here.\nleafnodes {{\n    port: 7422\n{}}}\n",
                tls("    ")
            );
        }
        if self.hub.is_empty() {
            return String::new();
        }
        let urls = list(self.hub.iter().map(|host| format!("nats-leaf://{host}:7422")));
        let records = quoted(&format!("counterd.{}.store.>", self.cluster));
        format!(
            "leafnodes {{\n    remotes: [\n        {{\n            urls: {urls}\n            # An environment variable with the site's \
             key.\n            nkey: $COUNTERD_SITE_KEY\n            # Records stay in their site.\n            deny_imports: {records}\n\
             \x20           deny_exports: {records}\n{}        }}\n    ]\n}}\n",
            tls("            ")
        )
    }

    /// The nodes, and the sites that connect here.
    fn users(&self) -> Vec<User> {
        let node = |node: &String| {
            let Rights { publish, subscribe } = self.rights(node);
            let lines = |subjects: Vec<String>| {
                let lines: Vec<String> = subjects
                    .iter()
                    .map(|subject| format!("                    {}\n", quoted(subject)))
                    .collect();
                format!("{{ allow: [\n{}                ] }}", lines.concat())
            };
            User { name: node.clone(), publish: lines(publish), subscribe: lines(subscribe) }
        };
        let site = |site: &String| {
            let [all, records] =
                [">", "store.>"].map(|rest| quoted(&format!("counterd.{}.{rest}", self.cluster)));
            let rights = format!("{{ allow: {all}, deny: {records} }}");
            User { name: format!("site-{site}"), publish: rights.clone(), subscribe: rights }
        };
        self.nodes.iter().map(node).chain(self.other_sites.iter().map(site)).collect()
    }
}

/// A string in a configuration.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.map(|item| quoted(&item)).collect::<Vec<_>>().join(", "))
}

/// The public half of the key in a file, which is made if there is none.
fn public_key(file: &Path) -> Result<String, String> {
    let name = file.display();
    let seed = match std::fs::read_to_string(file) {
        Ok(seed) => seed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = KeyPair::new_user();
            let seed = key.seed().map_err(|error| format!("can't make a key: {error}"))?;
            write_secret(file, &seed).map_err(|error| format!("can't write {name}: {error}"))?;
            seed
        }
        Err(error) => return Err(format!("can't read {name}: {error}")),
    };
    let key = KeyPair::from_seed(seed.trim());
    Ok(key.map_err(|_| format!("{name} is no key: remove it, and a new one is made"))?.public_key())
}

/// Nobody but the user can read it.
fn write_secret(file: &Path, text: &str) -> io::Result<()> {
    if let Some(directory) = file.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    writeln!(file, "{text}")
}
