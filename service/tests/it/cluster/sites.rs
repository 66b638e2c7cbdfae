//! Two sites, each with servers and nodes of its own, and a link between them. They are those of `packaging/sites`.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use counterd::clock::Stopwatch;
use tempfile::TempDir;

use super::counting::{Seen, Tally};
use super::cut::Link;
use super::security::configuration;
use super::server::{NatsServer, free_addresses};
use super::{BOUND, node, wait_until_agreed, wait_until_ready};
use crate::harness::{self, Counterd, Setup, wait_until};

/// Where a server listens for others: of its site, and of other sites.
struct Ports {
    routes: String,
    leaves: String,
}

/// One site.
struct Site {
    servers: Vec<NatsServer>,
    setups: Vec<Setup>,
    nodes: Vec<Counterd>,
}

/// Both sites. The servers of `eu` connect to those of `us`.
struct Sites {
    us: Site,
    eu: Site,
    links: Vec<Link>,
    _keys: TempDir,
}

const US: &[&str] = &["--nodes", "u1,u2,u3", "--may-forget", "u1", "--site", "us", "--other-sites", "eu"];
const EU: &[&str] = &["--nodes", "e1,e2,e3", "--may-forget", "e1", "--site", "eu"];

impl Sites {
    /// Sites with so many servers each, and as many nodes.
    fn start(servers: usize, nodes: usize) -> Option<Self> {
        let keys = tempfile::tempdir().unwrap();
        let names = |site: &str| (1..=servers).map(|number| format!("{site}-{number}")).collect::<Vec<_>>();
        let us =
            servers_of(&names("us"), &configuration_of(US, &names("us"), &[], &keys), &BTreeMap::new(), "")?;
        let links: BTreeMap<_, _> =
            us.iter().map(|(server, ports)| (server.name().to_owned(), Link::to(&ports.leaves))).collect();
        let seed = std::fs::read_to_string(keys.path().join("site-eu.nk")).unwrap();
        let text = configuration_of(EU, &names("eu"), &names("us"), &keys);
        let eu = servers_of(&names("eu"), &text, &links, seed.trim())?;
        let site = |name: &str, servers: Vec<(NatsServer, Ports)>| {
            Site::start(name, servers.into_iter().map(|(server, _)| server).collect(), nodes, &keys)
        };
        Some(Self {
            us: site("us", us),
            eu: site("eu", eu),
            links: links.into_values().collect(),
            _keys: keys,
        })
    }

    fn nodes(&self) -> Vec<&Counterd> {
        self.us.nodes.iter().chain(&self.eu.nodes).collect()
    }

    fn cut(&self, how: Cut) {
        self.links.iter().for_each(match how {
            Cut::Silent => Link::cut,
            Cut::Broken => Link::break_off,
        });
    }

    fn heal(&self) {
        self.links.iter().for_each(Link::heal);
    }
}

impl Site {
    fn start(name: &str, servers: Vec<NatsServer>, nodes: usize, keys: &TempDir) -> Self {
        let setup = |place: usize| {
            let name = format!("{}{}", &name[..1], place + 1);
            let url = &servers[place % servers.len()].url;
            let key = keys.path().join(format!("{name}.nk"));
            node(&name, url).with(&["--nats-creds", key.to_str().unwrap()])
        };
        let setups: Vec<_> = (0..nodes).map(|place| setup(place).with(&["--site", name])).collect();
        let nodes: Vec<_> = setups.iter().map(Setup::start).collect();
        nodes.iter().for_each(wait_until_ready);
        Self { servers, setups, nodes }
    }

    /// The names of the streams that its servers have.
    fn streams(&self) -> String {
        let url = format!("{}/jsz?streams=1", self.servers[0].monitor);
        let text = ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap();
        let told: serde_json::Value = serde_json::from_str(&text).unwrap();
        let streams = told["account_details"][0]["stream_detail"].as_array().unwrap();
        streams.iter().map(|stream| stream["name"].as_str().unwrap()).collect::<Vec<_>>().join(",")
    }
}

/// What `counterd nats-config` prints for a site.
fn configuration_of(site: &[&str], servers: &[String], hub: &[String], keys: &TempDir) -> String {
    let keys = keys.path().to_str().unwrap();
    let (servers, hub) = (servers.join(","), hub.join(","));
    let mut arguments = [site, &["--keys", keys]].concat();
    if servers.contains(',') {
        arguments.extend(["--servers", &servers]);
    }
    if !hub.is_empty() {
        arguments.extend(["--hub", &hub]);
    }
    configuration(&arguments)
}

/// Servers with this configuration, on ports that are free. They reach those of another site by these links.
fn servers_of(
    names: &[String],
    text: &str,
    links: &BTreeMap<String, Link>,
    seed: &str,
) -> Option<Vec<(NatsServer, Ports)>> {
    let mut free = free_addresses(2 * names.len()).into_iter();
    let ports: Vec<_> =
        names.iter().map(|_| Ports { routes: free.next().unwrap(), leaves: free.next().unwrap() }).collect();
    let mut text = text.to_owned();
    for (name, link) in links {
        text = text.replace(&format!("{name}:7422"), &link.address.to_string());
    }
    for (name, ports) in names.iter().zip(&ports) {
        text = text.replace(&format!("{name}:6222"), &ports.routes);
    }
    let started = names.iter().zip(ports).map(|(name, ports)| {
        let own = text.replace("port: 6222", &format!("listen: \"{}\"", ports.routes));
        // Servers that know a way around the link would take it.
        let own = own.replace("port: 7422", &format!("listen: \"{}\"\n    no_advertise: true", ports.leaves));
        Some((NatsServer::start_with(name, &own, &[("COUNTERD_SITE_KEY", seed)])?, ports))
    });
    started.collect()
}

/// How a link fails.
#[derive(Debug, Clone, Copy)]
enum Cut {
    /// Nothing passes, and nobody is told.
    Silent,
    /// All connections are closed.
    Broken,
}

#[test]
fn two_sites_count_while_the_link_is_cut() {
    let Some(sites) = Sites::start(1, 2) else { return };
    let nodes = sites.nodes();
    let (mut least, mut most) = (0, 0);
    for how in [Cut::Silent, Cut::Broken] {
        let tally = Tally::begin(&nodes);
        tally.wait_for(200);
        sites.cut(how);
        for name in ["n1", "n2", "n3", "n4"] {
            tally.wait_for_node(name, 100);
        }
        sites.heal();
        tally.wait_for(200);
        let counted = tally.end();
        (least, most) = (least + counted.0, most + counted.1);
        wait_until_agreed(&nodes, (least, most));
    }
    assert_eq!(
        (sites.us.streams(), sites.eu.streams()),
        ("COUNTERD_shop_us".into(), "COUNTERD_shop_eu".into())
    );
}

/// A node that starts knows the records of its site. What the others have counted it hears once the link is there again.
#[test]
fn a_site_starts_without_the_other() {
    let Some(mut sites) = Sites::start(1, 2) else { return };
    let tally = Tally::begin(&sites.nodes());
    tally.wait_for(400);
    let counted = tally.end();
    wait_until_agreed(&sites.nodes(), counted);
    sites.cut(Cut::Broken);
    let Site { setups, nodes, .. } = &mut sites.eu;
    nodes.drain(..).for_each(Counterd::kill);
    nodes.extend(setups.iter().map(Setup::start));
    nodes.iter().for_each(wait_until_ready);
    let after = Tally::begin(&sites.eu.nodes.iter().collect::<Vec<_>>());
    after.wait_for(100);
    let after = after.end();
    let least = counted.0 + after.0;
    assert!(
        sites.eu.nodes.iter().all(|node| node.value("views") < least),
        "they know the other site's counts"
    );
    sites.heal();
    wait_until_agreed(&sites.nodes(), (counted.0 + after.0, counted.1 + after.1));
}

/// The others have what it counted in memory. To forget its nodes brings that into their stream.
#[test]
fn what_a_lost_site_counted_can_be_stored_elsewhere() {
    let Some(mut sites) = Sites::start(1, 2) else { return };
    let tally = Tally::begin(&sites.nodes());
    tally.wait_for(400);
    let counted = tally.end();
    wait_until_agreed(&sites.nodes(), counted);
    sites.eu.nodes.drain(..).for_each(Counterd::kill);
    sites.eu.servers.iter_mut().for_each(NatsServer::kill);
    for name in ["e1", "e2"] {
        let mut command = harness::command();
        command.args(["cluster", "forget", name, "--yes"]).env("COUNTERD_URL", &sites.us.nodes[0].http);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let Site { setups, nodes, .. } = &mut sites.us;
    nodes.drain(..).for_each(Counterd::kill);
    nodes.extend(setups.iter().map(Setup::start));
    nodes.iter().for_each(wait_until_ready);
    wait_until_agreed(&sites.us.nodes.iter().collect::<Vec<_>>(), counted);
}

/// The text without what differs between two runs: the keys and where they are.
fn without_keys(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.contains("nkey: U") && !line.starts_with('#')).collect()
}

#[test]
fn the_example_is_what_nats_config_prints() {
    let keys = tempfile::tempdir().unwrap();
    let names = |site: &str| (1..=3).map(|number| format!("{site}-{number}")).collect::<Vec<_>>();
    for (file, site, hub) in [("us.conf", US, vec![]), ("eu.conf", EU, names("us"))] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/sites").join(file);
        let example = std::fs::read_to_string(path).unwrap();
        let printed = configuration_of(site, &names(&file[..2]), &hub, &keys);
        assert_eq!(without_keys(&example), without_keys(&printed), "{file}");
        assert!(example.contains("nkey: U"), "{file}");
    }
}

/// Between the adds of a client.
const PACE: Duration = Duration::from_millis(5);

#[expect(clippy::cast_precision_loss, reason = "a table has three digits")]
fn row(phase: &str, seen: &Seen) -> String {
    let mut took = seen.times.took.clone();
    took.sort_unstable();
    let at = |part: usize| {
        took.get(took.len().saturating_sub(1) * part / 100).map_or(0.0, |took| *took as f64 / 1e3)
    };
    let Seen { acknowledged, refused, unclear, times } = seen;
    let (median, late, most) = (at(50), at(99), at(100));
    format!(
        "| {phase} | {acknowledged} | {refused} | {unclear} | {median:.1} | {late:.1} | {most:.0} | {} |",
        times.gap.as_millis()
    )
}

/// Counts for a while, with 200 adds a second on each node.
fn count_for(time: Duration, nodes: &[&Counterd]) -> Seen {
    let tally = Tally::paced(nodes, PACE);
    sleep(time);
    tally.finish()
}

/// The whole example: two sites of three servers and three nodes.
///
/// ```text
/// cargo test --release -p counterd --test it cluster::sites -- --ignored --nocapture
/// ```
#[test]
#[ignore = "it takes minutes: by hand, for docs/verification.md"]
fn latencies_of_each_phase() {
    let Some(sites) = Sites::start(3, 3) else { return };
    let nodes = sites.nodes();
    let (mut least, mut most) = (0, 0);
    println!(
        "| phase | acknowledged | refused | unclear | p50, ms | p99, ms | most, ms | longest time without an add, ms |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for how in [Cut::Silent, Cut::Broken] {
        for (phase, time) in [("before", 10), ("while the link is cut", 30), ("after", 10)] {
            if phase == "while the link is cut" {
                sites.cut(how);
            }
            let seen = count_for(Duration::from_secs(time), &nodes);
            println!("{}", row(&format!("{phase} ({how:?})"), &seen));
            let counted = seen.bounds();
            (least, most) = (least + counted.0, most + counted.1);
            let knows = |node: &&Counterd| node.value("views") >= least;
            assert!(phase != "while the link is cut" || !nodes.iter().any(knows), "the link is not cut");
            sites.heal();
            let healed = Stopwatch::start();
            let values = || nodes.iter().map(|node| node.value("views")).collect::<Vec<_>>();
            wait_until(BOUND, "all nodes agree", || {
                values().iter().all(|value| (least..=most).contains(value))
            });
            println!("all agree {} ms later", healed.elapsed().as_millis());
        }
    }
    wait_until_agreed(&nodes, (least, most));
}
