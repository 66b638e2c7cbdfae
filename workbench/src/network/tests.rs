use super::*;
use crate::seeds::Seeds;
use crate::workload::Counter;

const MS: Duration = Duration::from_millis(1);

fn network(plan: &Plan) -> Network {
    let mut network = Network::new(plan, Seeds::new(plan.seed).generator());
    plan.nodes().for_each(|index| network.open(Endpoint::Node(index)));
    for name in ServiceName::ALL {
        network.open(Endpoint::Service(name));
    }
    network
}

fn plan(mean_ms: u64) -> Plan {
    Plan { latency: Latency { mean_ms, shape: LatencyShape::Constant }, ..Plan::new(&Counter::G, 3) }
}

fn packet(id: u64, src: Endpoint, dest: Endpoint) -> Packet {
    Packet { id, src, dest, content: Content::Body("{}".into()) }
}

fn peers(id: u64, src: usize, dest: usize) -> Packet {
    packet(id, Endpoint::Node(src), Endpoint::Node(dest))
}

/// The number of the message delivered to that node now.
fn delivered(network: &mut Network, now: Duration, node: usize) -> Option<u64> {
    match network.poll(now, Endpoint::Node(node)) {
        Delivery::Now(packet) => Some(packet.id),
        Delivery::Later(_) | Delivery::Idle => None,
    }
}

#[test]
fn a_message_takes_its_latency_unless_a_client_takes_part() {
    let mut network = network(&plan(10));
    network.send(MS, peers(0, 0, 1));
    assert_eq!(network.poll(MS, Endpoint::Node(1)), Delivery::Later(11 * MS));
    assert_eq!(delivered(&mut network, 11 * MS, 1), Some(0));
    network.send(12 * MS, packet(1, Endpoint::Client(0), Endpoint::Node(2)));
    assert_eq!(delivered(&mut network, 12 * MS, 2), Some(1));
}

#[test]
fn the_deliverer_sleeps_with_a_message_in_hand_and_lets_clients_wait() {
    let mut network = network(&plan(10));
    network.send(MS, peers(0, 0, 1));
    assert_eq!(network.poll(MS, Endpoint::Node(1)), Delivery::Later(11 * MS));
    network.send(2 * MS, packet(1, Endpoint::Client(0), Endpoint::Node(1)));
    assert_eq!(delivered(&mut network, 2 * MS, 1), None);
    assert_eq!(delivered(&mut network, 11 * MS, 1), Some(0));
    assert_eq!(delivered(&mut network, 11 * MS, 1), Some(1));
}

#[test]
fn earlier_deadlines_come_first() {
    let mut network = network(&plan(10));
    network.wait(Endpoint::Node(1));
    network.send(MS, peers(0, 0, 1));
    network.send(2 * MS, packet(1, Endpoint::Client(0), Endpoint::Node(1)));
    network.ready(Endpoint::Node(1));
    assert_eq!(delivered(&mut network, 20 * MS, 1), Some(1));
    assert_eq!(delivered(&mut network, 20 * MS, 1), Some(0));
}

#[test]
fn partitions_drop_at_the_receiver_when_a_message_has_its_turn() {
    let mut network = network(&plan(10));
    network.send(MS, peers(0, 0, 1));
    network.partition(&vec![(1, vec![0])]);
    // Sent before the cut, its turn comes after the cut: lost.
    assert_eq!(network.poll(2 * MS, Endpoint::Node(1)), Delivery::Idle);
    // Sent during the cut, its turn comes after the heal: delivered.
    network.send(3 * MS, peers(1, 0, 1));
    network.heal();
    assert_eq!(network.poll(4 * MS, Endpoint::Node(1)), Delivery::Later(13 * MS));
    // Its turn comes before a new cut: delivered all the same.
    network.partition(&vec![(1, vec![0])]);
    assert_eq!(delivered(&mut network, 13 * MS, 1), Some(1));
}

#[test]
fn partitions_are_one_way_and_spare_services_and_clients() {
    let mut network = network(&plan(0));
    network.partition(&vec![(1, vec![0, 2])]);
    network.send(MS, peers(0, 1, 0));
    assert_eq!(delivered(&mut network, MS, 0), Some(0));
    network.send(MS, packet(1, Endpoint::Service(ServiceName::SeqKv), Endpoint::Node(1)));
    network.send(MS, packet(2, Endpoint::Client(0), Endpoint::Node(1)));
    network.send(MS, peers(3, 0, 1));
    assert_eq!(delivered(&mut network, MS, 1), Some(1));
    assert_eq!(delivered(&mut network, MS, 1), Some(2));
    assert_eq!(delivered(&mut network, MS, 1), None);
}

#[test]
fn a_busy_receiver_keeps_only_its_own_lane_waiting() {
    let mut network = network(&plan(0));
    network.wait(Endpoint::Node(1));
    network.send(MS, peers(0, 0, 1));
    network.send(MS, peers(1, 0, 2));
    assert_eq!(delivered(&mut network, MS, 1), None);
    assert_eq!(delivered(&mut network, MS, 2), Some(1));
    network.ready(Endpoint::Node(1));
    assert_eq!(delivered(&mut network, MS, 1), Some(0));
}

#[test]
fn loss_and_copies_spare_clients() {
    let mut network = network(&Plan { loss: 1.0, ..plan(0) });
    network.send(MS, peers(0, 0, 1));
    network.send(MS, packet(1, Endpoint::Client(0), Endpoint::Node(1)));
    assert_eq!(delivered(&mut network, MS, 1), Some(1));
    assert_eq!(delivered(&mut network, MS, 1), None);

    let mut network = self::network(&Plan { duplicate: 1.0, ..plan(0) });
    network.send(MS, peers(0, 0, 1));
    network.send(MS, packet(1, Endpoint::Client(0), Endpoint::Node(1)));
    let ids: Vec<_> = std::iter::from_fn(|| delivered(&mut network, MS, 1)).collect();
    assert_eq!(ids, [0, 0, 1]);
}

#[test]
fn whole_classes_of_links_can_stay_cut() {
    let mut network = network(&Plan { cut_peers: true, cut_store: true, ..plan(0) });
    network.heal();
    network.send(MS, peers(0, 0, 1));
    network.send(MS, packet(1, Endpoint::Service(ServiceName::SeqKv), Endpoint::Node(1)));
    network.send(MS, peers(2, 1, 1));
    assert_eq!(delivered(&mut network, MS, 1), Some(2));
    assert_eq!(delivered(&mut network, MS, 1), None);
}

#[test]
fn the_journal_counts_clients_servers_and_services_apart() {
    let mut network = network(&plan(0));
    network.number(MS, Endpoint::Client(0), Endpoint::Node(0), 10, "{}");
    network.number(MS, Endpoint::Node(0), Endpoint::Node(1), 20, "{}");
    network.number(MS, Endpoint::Node(0), Endpoint::Service(ServiceName::SeqKv), 30, "{}");
    let journal = network.journal();
    assert_eq!((journal.all.sent, journal.all.bytes), (3, 60));
    assert_eq!((journal.clients.sent, journal.clients.bytes), (1, 10));
    assert_eq!((journal.servers.sent, journal.servers.bytes), (2, 50));
    assert_eq!((journal.services.sent, journal.services.bytes), (1, 30));
}
