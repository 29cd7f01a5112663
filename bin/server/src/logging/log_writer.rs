//! Writes log lines from a thread of its own.

use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

use super::LINES_DROPPED;

/// The bytes of lines that may wait. At 50,000 requests a second, this is what a quarter of a second writes.
const CAPACITY: usize = 4 << 20;

/// How long lines are collected before they are written with one system call.
const COLLECT: Duration = Duration::from_millis(5);

/// A writer that never waits for its sink: it collects lines in memory, and a thread writes all that have arrived with
/// one system call. If the sink does not accept them fast enough, lines are dropped and counted. Clones share the lines.
#[derive(Clone)]
pub(super) struct LogWriter(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    /// There is something to write, or a reason to write it now.
    wake: Condvar,
    /// A batch has been written.
    written: Condvar,
    sink: Mutex<Box<dyn Write + Send>>,
    capacity: usize,
}

#[derive(Default)]
struct Queue {
    lines: Vec<u8>,
    /// Bytes since the start.
    appended: u64,
    written: u64,
    /// Lines dropped since the last batch was taken.
    dropped: u64,
    /// Whether a caller waits until the lines are written.
    is_urgent: bool,
    /// Whether lines are written by those who log them, since the thread has ended or is about to.
    is_closed: bool,
}

impl LogWriter {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub(super) fn start(sink: impl Write + Send + 'static) -> io::Result<Self> {
        Self::with_capacity(sink, CAPACITY)
    }

    fn with_capacity(sink: impl Write + Send + 'static, capacity: usize) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            wake: Condvar::new(),
            written: Condvar::new(),
            sink: Mutex::new(Box::new(sink)),
            capacity,
        });
        let writer = Self(Arc::clone(&shared));
        thread::Builder::new().name("log".to_owned()).spawn(move || shared.write_batches())?;
        Ok(writer)
    }

    /// Waits until all lines so far are written, but no longer than `timeout`.
    pub(super) fn flush(&self, timeout: Duration) {
        let mut queue = self.0.queue();
        queue.is_urgent = true;
        self.0.wake.notify_one();
        let target = queue.appended;
        let is_pending = |queue: &mut Queue| queue.written < target;
        drop(self.0.written.wait_timeout_while(queue, timeout, is_pending));
    }

    /// Ends the thread after it has written all lines, but waits no longer than `timeout`. Later lines are written by
    /// those who log them.
    pub(super) fn close(&self, timeout: Duration) {
        self.0.queue().is_closed = true;
        self.flush(timeout);
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // A panic cannot leave the queue inconsistent in a way that matters to a log.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&self, line: &[u8]) {
        let mut queue = self.queue();
        if queue.is_closed {
            drop(queue);
            return self.write_directly(line);
        }
        if self.capacity < queue.lines.len() + line.len() {
            queue.dropped += 1;
            drop(queue);
            return metrics::counter!(LINES_DROPPED).increment(1);
        }
        let was_empty = queue.lines.is_empty();
        queue.lines.extend_from_slice(line);
        queue.appended += line.len() as u64;
        drop(queue);
        if was_empty {
            self.wake.notify_one();
        }
    }

    /// Writes a line unless the thread is still stuck in a write of its own.
    fn write_directly(&self, line: &[u8]) {
        let mut sink = match self.sink.try_lock() {
            Ok(sink) => sink,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        _ = sink.write_all(line);
    }

    /// Runs until the writer is closed.
    fn write_batches(&self) {
        let mut batch = Vec::new();
        loop {
            let dropped = self.take_batch(&mut batch);
            if batch.is_empty() {
                return;
            }
            if dropped != 0 {
                // Becomes the first line of the next batch, which is empty and so has room for it.
                tracing::warn!(
                    lines = dropped,
                    "Dropped log lines, because standard error was not read fast enough"
                );
            }
            let written =
                self.sink.lock().unwrap_or_else(PoisonError::into_inner).write_all(&batch);
            if written.is_err() {
                // There is no other place to report to.
                metrics::counter!(LINES_DROPPED).increment(count_lines(&batch));
            }
            self.queue().written += batch.len() as u64;
            self.written.notify_all();
            batch.clear();
        }
    }

    /// Waits for lines and takes them all. Takes none if the writer is closed and there are none. Returns how many lines
    /// were dropped since the last batch.
    fn take_batch(&self, batch: &mut Vec<u8>) -> u64 {
        let idle = |queue: &mut Queue| queue.lines.is_empty() && !queue.is_closed;
        let queue = self.wake.wait_while(self.queue(), idle);
        let queue = queue.unwrap_or_else(PoisonError::into_inner);
        let is_collecting = |queue: &mut Queue| !queue.is_urgent && !queue.is_closed;
        let collected = self.wake.wait_timeout_while(queue, COLLECT, is_collecting);
        let (mut queue, _) = collected.unwrap_or_else(PoisonError::into_inner);
        queue.is_urgent = false;
        mem::swap(&mut queue.lines, batch);
        mem::take(&mut queue.dropped)
    }
}

fn count_lines(batch: &[u8]) -> u64 {
    batch.split_inclusive(|byte| *byte == b'\n').count() as u64
}

impl<'w> MakeWriter<'w> for LogWriter {
    type Writer = &'w LogWriter;

    fn make_writer(&'w self) -> Self::Writer {
        self
    }
}

impl Write for &LogWriter {
    /// `line` is a whole line, as the subscriber writes it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.append(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    /// A sink whose writes wait until the test allows them, and then arrive at the test.
    struct GatedSink {
        allowed: Receiver<()>,
        writes: Sender<String>,
    }

    impl Write for GatedSink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            _ = self.allowed.recv();
            self.writes.send(String::from_utf8_lossy(bytes).into_owned()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn gated(capacity: usize) -> (LogWriter, Sender<()>, Receiver<String>) {
        let (allow, allowed) = channel();
        let (writes, received) = channel();
        let writer = LogWriter::with_capacity(GatedSink { allowed, writes }, capacity).unwrap();
        (writer, allow, received)
    }

    fn append(writer: &LogWriter, line: &str) {
        let mut writer = writer;
        writer.write_all(line.as_bytes()).unwrap();
    }

    /// Appends a line and waits until the thread tries to write it.
    fn append_and_block(writer: &LogWriter, line: &str) {
        append(writer, line);
        while !writer.0.queue().lines.is_empty() {
            thread::yield_now();
        }
    }

    #[test]
    fn lines_that_arrive_during_a_write_are_written_with_one_system_call() {
        let (writer, allow, writes) = gated(1_000);
        append_and_block(&writer, "first\n");
        for line in ["a\n", "b\n", "c\n"] {
            append(&writer, line);
        }

        allow.send(()).unwrap();
        allow.send(()).unwrap();

        assert_eq!(writes.recv_timeout(LONG).unwrap(), "first\n");
        assert_eq!(writes.recv_timeout(LONG).unwrap(), "a\nb\nc\n");
    }

    #[test]
    fn a_sink_that_accepts_nothing_costs_whole_lines_and_no_time() {
        let (writer, allow, writes) = gated(6);
        append_and_block(&writer, "first\n");

        for line in ["aa\n", "bb\n", "cc\n", "d\n"] {
            append(&writer, line);
        }

        assert_eq!(writer.0.queue().dropped, 2);
        drop(allow);
        assert_eq!(writes.recv_timeout(LONG).unwrap(), "first\n");
        assert_eq!(writes.recv_timeout(LONG).unwrap(), "aa\nbb\n");
    }

    #[test]
    fn closing_writes_everything_and_later_lines_are_written_at_once() {
        let (writer, allow, writes) = gated(1_000);
        drop(allow);
        append(&writer, "before\n");

        writer.close(LONG);

        assert_eq!(writes.try_recv().unwrap(), "before\n");
        append(&writer, "after\n");
        assert_eq!(writes.try_recv().unwrap(), "after\n");
    }

    #[test]
    fn neither_flushing_nor_closing_waits_forever_for_a_stuck_sink() {
        let (writer, allow, writes) = gated(1_000);
        append_and_block(&writer, "stuck\n");

        writer.flush(Duration::from_millis(1));
        writer.close(Duration::from_millis(1));
        append(&writer, "lost\n");

        assert!(writes.try_recv().is_err());
        drop(allow);
        assert_eq!(writes.recv_timeout(LONG).unwrap(), "stuck\n");
    }
}
