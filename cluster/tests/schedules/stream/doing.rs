//! What the steps do.

use cluster::store::{Appended, Interrupted, Stored};

use super::{Answer, Asked, Call, CallId, Committed, Reading, Stream, Write};
use crate::steps::Step;

impl Stream {
    /// Makes a step. Returns the process that hears something by it.
    pub(crate) fn perform(&mut self, step: Step) -> Option<usize> {
        match step {
            Step::Do(id) => {
                let appended = self.write(id);
                Some(self.tell(id, Answer::Append(appended)))
            }
            Step::DoInSilence(id) => {
                let appended = self.write(id);
                self.calls.insert(id, Call::Done(appended));
                None
            }
            Step::Hear(id) => match self.calls.remove(&id) {
                Some(Call::Done(appended)) => Some(self.tell(id, Answer::Append(appended))),
                _ => panic!("nothing was done for {id:?}"),
            },
            Step::DoAndLose(id) => {
                self.write(id);
                self.met.insert("done, and the answer lost");
                Some(self.tell(id, Answer::Append(Appended::Unknown)))
            }
            Step::Refuse(id) => Some(self.decline(id, Appended::NotDone)),
            Step::Busy(id) => Some(self.decline(id, Appended::Busy)),
            Step::GiveUp(id) => {
                let write = self.take_write(id);
                self.adrift.insert(id, write);
                Some(self.tell(id, Answer::Append(Appended::Unknown)))
            }
            Step::DoLate(id) => {
                let write = self.adrift.remove(&id).expect("it is adrift");
                if let Appended::At(_) = self.commit(id, write) {
                    self.met.insert("done later");
                }
                None
            }
            Step::Begin(id) => Some(self.begin(id, self.committed.len())),
            Step::BeginBehind(id, position, _) => {
                self.met.insert("a read of a server that is behind");
                Some(self.begin(id, position))
            }
            Step::Send(id, position) => {
                let stored = self.send(id, position);
                Some(self.tell(id, Answer::Next(Ok(stored))))
            }
            Step::LoseMessage(id, position) => {
                self.send(id, position);
                None
            }
            Step::Interrupt(id) | Step::Starve(id) => {
                let is_read = matches!(self.calls.get(&id), Some(Call::Asked(Asked::Read(_))));
                let (read, next) = (Answer::Read(Err(Interrupted)), Answer::Next(Err(Interrupted)));
                Some(self.tell(id, if is_read { read } else { next }))
            }
            Step::GoOn(id) => Some(self.tell(id, Answer::Turn)),
            Step::Kill(process) => {
                self.died(process);
                None
            }
            Step::End => None,
        }
    }

    fn tell(&mut self, id: CallId, answer: Answer) -> usize {
        self.prints.told(id, &answer);
        self.calls.insert(id, Call::Heard(answer));
        id.process
    }

    fn take_write(&mut self, id: CallId) -> Write {
        match self.calls.remove(&id) {
            Some(Call::Asked(Asked::Write(write))) => write,
            _ => panic!("{id:?} asks for no write"),
        }
    }

    fn write(&mut self, id: CallId) -> Appended {
        let write = self.take_write(id);
        self.commit(id, write)
    }

    /// A majority takes the change, if its condition holds.
    fn commit(&mut self, id: CallId, Write { change, expected, request }: Write) -> Appended {
        let mut copy = self.newest().clone();
        if expected.is_some_and(|(subject, sequence)| copy.last_on(&subject) != sequence) {
            self.met.insert("a conflict");
            return Appended::Conflict;
        }
        if copy.last_on(&change.subject) > 0 {
            self.replaced.push((self.committed.len(), change.subject.clone()));
        }
        let sequence = copy.apply(&change);
        let print = self.prints.committed(id, &change);
        self.copies.push(copy);
        self.committed.push(Committed { change, request, print });
        Appended::At(sequence)
    }

    fn decline(&mut self, id: CallId, how: Appended) -> usize {
        self.take_write(id);
        self.tell(id, Answer::Append(how))
    }

    fn begin(&mut self, id: CallId, position: usize) -> usize {
        let Some(Call::Asked(Asked::Read(filters))) = self.calls.remove(&id) else {
            panic!("{id:?} is no read")
        };
        self.readings.insert(id, Reading { filters, position, cursor: 0, place: 0 });
        self.tell(id, Answer::Read(Ok(())))
    }

    /// A server that has come so far sends a message.
    fn send(&mut self, id: CallId, position: usize) -> Stored {
        let Some(Call::Asked(Asked::Next(reader))) = self.calls.get(&id) else {
            panic!("{id:?} is no reader")
        };
        let reader = *reader;
        let may_be = self.next_messages(reader);
        if may_be.len() > 1 {
            self.met.insert("messages replaced while they are read");
        }
        let found = may_be.into_iter().find(|(at, _)| *at == position);
        let (_, stored) = found.expect("a step is chosen among those that are possible");
        let reading = self.readings.get_mut(&reader).expect("it reads");
        (reading.position, reading.cursor, reading.place) = (position, stored.sequence, stored.place);
        stored
    }

    /// A process is dead. What it has asked for may still be done.
    fn died(&mut self, process: usize) {
        let calls: Vec<CallId> = self.calls.keys().filter(|id| id.process == process).copied().collect();
        for id in calls {
            self.leave(id);
        }
        self.readings.retain(|id, _| id.process != process);
        self.prints.died(process);
    }
}
