//! The durable store: one SQLite database in the state directory, readable with the `sqlite3` tool and by other
//! processes while a run writes. Every append is on disk before it returns. It must not interpret records.

use super::codec::Chain;
use super::witness::{Counts, DatabaseFiles, Loss};
use super::{RunId, Store, StoreError, StoreResult, Stored, codec};
use crate::error::{Error, Kind, Result};
use crate::model::run::record::{EffectId, Record};
use crate::platform::runner_lock::RunnerLock;
use crate::platform::trust::{self, Doubt};
use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior, params};
use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

/// The layout of the database this program writes, kept in `PRAGMA user_version`.
const LAYOUT: i64 = 1;
/// How long a call waits for another process that holds the database.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most records room is made for beforehand, whatever number a damaged database names.
const LARGEST_LIST: usize = 1 << 20;

const TABLES: &str = "
    CREATE TABLE records (
        run TEXT NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, track TEXT, n INTEGER,
        body TEXT NOT NULL, chain BLOB NOT NULL, PRIMARY KEY (run, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE sources (digest TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;
";

/// The journal in a state directory.
#[derive(Debug)]
pub struct SqliteStore {
    database: Connection,
    file: PathBuf,
    /// The number and the link of the last record of each run this store wrote: what others write meanwhile
    /// shows as a record that is there already.
    tails: BTreeMap<RunId, (u64, Chain)>,
    /// The files it is in, which somebody may take away.
    files: DatabaseFiles,
    /// How much was written, beside it.
    counts: Counts,
}

impl SqliteStore {
    /// Opens `journal.db` in `state_dir`; makes the folder (mode 0700) and the file (0600) if they are not there.
    ///
    /// # Errors
    /// `Precondition` when the folder cannot be used, `Refused` when the database is newer than this program or
    /// damaged.
    pub fn open(state_dir: &Path) -> Result<Self> {
        let file = state_dir.join("journal.db");
        let unusable = |why: &dyn std::fmt::Display| {
            Error::new(
                Kind::Precondition,
                format!("the state directory `{}` cannot be used: {why}", state_dir.display()),
            )
            .hint("make it a folder of yours with room in it, or name another one with `--state DIR`")
        };
        let counts = Counts::of(state_dir);
        let inner = [state_dir.join("locks"), state_dir.join("host-keys"), counts.folder().to_path_buf()];
        for folder in std::iter::once(state_dir.to_path_buf()).chain(inner) {
            trusted(&folder)?;
        }
        for name in ["journal.db", "journal.db-wal", "journal.db-shm"] {
            plain_file(&state_dir.join(name))?;
        }
        if !file.exists()
            && let Some(latest) = counts.latest()
        {
            return Err(gone(&file, "is gone", &latest, &counts));
        }
        make_private(state_dir, &file).map_err(|error| unusable(&error))?;
        let mut database = Connection::open(&file).map_err(|error| unusable(&words(&error)))?;
        let prepared = prepare(&mut database, || counts.latest().is_none());
        let mode =
            prepared.map_err(|error| if damaged(&error) { damage(&file, &error) } else { unusable(&words(&error)) })?;
        if mode.readonly {
            return Err(unusable(&format!("`{}` is read-only", file.display())));
        }
        if mode.journal != "wal" {
            return Err(unusable(&"its file system cannot hold a database that several processes use, as NFS cannot"));
        }
        if mode.layout == 0
            && let Some(latest) = counts.latest()
        {
            return Err(gone(&file, "is empty", &latest, &counts));
        }
        if mode.layout > LAYOUT {
            let message = format!(
                "`{}` has layout {}, which a newer baton wrote; this baton knows layout {LAYOUT}",
                file.display(),
                mode.layout
            );
            return Err(Error::new(Kind::Refused, message)
                .hint("use the newer baton, or name another state directory with `--state DIR`"));
        }
        let files = DatabaseFiles::of(&file);
        Ok(Self { database, file, tails: BTreeMap::new(), files, counts })
    }

    fn unwritten(&self, error: &rusqlite::Error) -> StoreError {
        if damaged(error) {
            return damage(&self.file, error).into();
        }
        let message = format!("the journal could not be written: {}; nothing more was done", words(error));
        let error = Error::new(Kind::Failed, message);
        StoreError::Unwritten(error.hint(format!("see to `{}`, then: baton resume", self.file.display())))
    }

    fn unread(&self, error: &rusqlite::Error) -> StoreError {
        if damaged(error) {
            return damage(&self.file, error).into();
        }
        Error::new(Kind::Failed, format!("the journal could not be read: {}", words(error)))
            .hint(format!("see to `{}`", self.file.display()))
            .into()
    }

    /// From now on a write waits for the disk (`full`), or is on it with the next one that does (`normal`).
    fn synchronous(&self, how: &str) -> rusqlite::Result<()> {
        self.database.pragma_update(None, "synchronous", how)
    }

    fn len_of(&self, run: &str) -> rusqlite::Result<usize> {
        let mut query = self.database.prepare_cached("SELECT coalesce(max(seq), 0) FROM records WHERE run = ?1")?;
        let len: i64 = query.query_row([run], |row| row.get(0))?;
        Ok(usize::try_from(len).unwrap_or_default().min(LARGEST_LIST))
    }

    /// The number and the link of the last record of a run.
    fn tail(&self, run: &str) -> rusqlite::Result<(u64, Chain)> {
        let last = "SELECT seq, chain FROM records WHERE run = ?1 ORDER BY seq DESC LIMIT 1";
        let mut query = self.database.prepare_cached(last)?;
        let tail = query.query_row([run], |row| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get::<_, Chain>(1)?)));
        Ok(tail.optional()?.unwrap_or_default())
    }

    /// The first of the rows of a run, as they are asked for, that `wanted` picks.
    fn find(&self, run: &str, rows: &str, wanted: &mut dyn FnMut(&Record) -> bool) -> StoreResult<Option<Stored>> {
        let unread = |error| self.unread(&error);
        let mut query = self.database.prepare_cached(rows).map_err(unread)?;
        let mut rows = query.query([run]).map_err(unread)?;
        while let Some(row) = rows.next().map_err(unread)? {
            let seq = row.get::<_, i64>(0).map_err(unread)?.cast_unsigned();
            let body = row.get_ref(1).map_err(unread)?.as_str().map_err(|_| broken(run, seq.saturating_sub(1)))?;
            let record = codec::decode(run, seq, body).or_else(|error| match seq {
                1 => Err(error),
                // That it is in another format is said by its first record.
                _ => self.first(run).and(Err(error)),
            })?;
            if wanted(&record) {
                return Ok(Some(Stored::new(seq, record)));
            }
        }
        Ok(None)
    }

    fn append_encoded(&mut self, run: &str, expected: u64, rows: &[RecordRow<'_>]) -> rusqlite::Result<Appended> {
        let known = self.tails.remove(run).filter(|(seq, _)| *seq == expected);
        let tail = known.map_or_else(|| self.tail(run), Ok)?;
        if tail.0 != expected {
            return Ok(Appended::Conflict { found: tail.0 });
        }
        match self.insert_behind(tail, run, rows) {
            Ok(tail) => {
                self.tails.insert(run.to_owned(), tail);
                Ok(Appended::Upto(tail.0))
            }
            Err(error) if is_there_already(&error) => Ok(Appended::Conflict { found: self.tail(run)?.0 }),
            Err(error) => Err(error),
        }
    }

    fn insert_behind(&self, tail: (u64, Chain), run: &str, rows: &[RecordRow<'_>]) -> rusqlite::Result<(u64, Chain)> {
        if rows.len() == 1 {
            // A single statement is a transaction by itself.
            return insert(&self.database, tail, run, rows);
        }
        carry_out(&self.database, "BEGIN IMMEDIATE")?;
        let written =
            insert(&self.database, tail, run, rows).and_then(|tail| carry_out(&self.database, "COMMIT").map(|()| tail));
        if written.is_err() && !self.database.is_autocommit() {
            // Why it was not written is told, whatever comes of this.
            let _ = carry_out(&self.database, "ROLLBACK");
        }
        written
    }
}

/// Carries out a statement that gives nothing. It is parsed once for the whole connection.
fn carry_out(database: &Connection, statement: &str) -> rusqlite::Result<()> {
    database.prepare_cached(statement)?.execute([]).map(drop)
}

/// Inserts rows behind `tail`; gives the new one.
fn insert(
    database: &Connection,
    tail: (u64, Chain),
    run: &str,
    rows: &[RecordRow<'_>],
) -> rusqlite::Result<(u64, Chain)> {
    let mut insert = database.prepare_cached(
        "INSERT INTO records (run, seq, kind, track, n, body, chain) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let (mut seq, mut chain) = tail;
    for row in rows {
        seq += 1;
        chain = codec::link(&chain, &row.body);
        let (track, n) = (row.id.map(|id| id.track.to_string()), row.id.map(|id| id.n.cast_signed()));
        insert.execute(params![run, seq.cast_signed(), row.kind, track, n, row.body, chain])?;
    }
    Ok((seq, chain))
}

/// Another writer was first.
fn is_there_already(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY)
}

impl Store for SqliteStore {
    fn is_worked_on(&self, run: &str) -> Option<bool> {
        RunnerLock::is_held(self.file.parent()?, run)
    }

    fn append(&mut self, run: &str, expected: u64, records: &[Rc<Record>]) -> StoreResult<u64> {
        let rows = records.iter().map(|record| RecordRow::of(record)).collect::<StoreResult<Vec<RecordRow<'_>>>>()?;
        self.files.check().map_err(|loss| lost(&loss))?;
        match self.append_encoded(run, expected, &rows) {
            Ok(Appended::Upto(seq)) => {
                self.counts.note(run, seq);
                Ok(seq)
            }
            Ok(Appended::Conflict { found }) => Err(StoreError::Conflict { run: run.to_owned(), expected, found }),
            Err(error) => Err(self.unwritten(&error)),
        }
    }

    fn read(&self, run: &str) -> StoreResult<Vec<Stored>> {
        let unread = |error| self.unread(&error);
        let mut query = self
            .database
            .prepare_cached("SELECT seq, body, chain FROM records WHERE run = ?1 ORDER BY seq")
            .map_err(unread)?;
        let mut rows = query.query([run]).map_err(unread)?;
        // Records are large: a list that grows while it is filled would copy them several times.
        let (mut stored, mut chain) = (Vec::with_capacity(self.len_of(run).map_err(unread)?), Chain::default());
        while let Some(row) = rows.next().map_err(unread)? {
            let good = stored.len() as u64;
            let seq = row.get::<_, i64>(0).map_err(unread)?.cast_unsigned();
            let body = row.get_ref(1).map_err(unread)?.as_str().map_err(|_| broken(run, good))?;
            chain = codec::link(&chain, body);
            let recorded = row.get_ref(2).map_err(unread)?.as_blob().map_err(|_| broken(run, good))?;
            if seq != good + 1 || recorded != chain {
                return Err(broken(run, good).into());
            }
            stored.push(Stored::new(seq, codec::decode(run, seq, body)?));
        }
        if stored.is_empty() { Err(StoreError::NoRun(run.to_owned())) } else { Ok(stored) }
    }

    fn first(&self, run: &str) -> StoreResult<Option<Stored>> {
        self.find(run, "SELECT seq, body FROM records WHERE run = ?1 ORDER BY seq LIMIT 1", &mut |_| true)
    }

    fn latest(&self, run: &str, wanted: &mut dyn FnMut(&Record) -> bool) -> StoreResult<Option<Stored>> {
        self.find(run, "SELECT seq, body FROM records WHERE run = ?1 ORDER BY seq DESC", wanted)
    }

    fn runs(&self) -> StoreResult<Vec<RunId>> {
        // Hops from run to run in the primary key: a plain DISTINCT would read every record.
        let hops = "WITH RECURSIVE hop(run) AS (
                SELECT min(run) FROM records
                UNION ALL SELECT (SELECT min(run) FROM records WHERE run > hop.run) FROM hop WHERE run IS NOT NULL
            ) SELECT run FROM hop WHERE run IS NOT NULL";
        let read = || {
            let mut query = self.database.prepare_cached(hops)?;
            let rows = query.query_map([], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<Vec<RunId>>>()
        };
        read().map_err(|error| self.unread(&error))
    }

    fn written(&self) -> BTreeMap<RunId, u64> {
        self.counts.all()
    }

    fn put_source(&mut self, text: &str) -> StoreResult<String> {
        let digest = codec::digest(text);
        let put = |database: &Connection| {
            let mut insert = database.prepare_cached("INSERT OR IGNORE INTO sources (digest, text) VALUES (?1, ?2)")?;
            insert.execute([&digest, text])
        };
        // What names a text is written after it, and what makes that durable makes all durable that stands before it.
        let written = self.synchronous("normal").and_then(|()| put(&self.database));
        self.synchronous("full").and(written).map_err(|error| self.unwritten(&error))?;
        Ok(digest)
    }

    fn source(&self, digest: &str) -> StoreResult<String> {
        let find = || {
            let mut query = self.database.prepare_cached("SELECT text FROM sources WHERE digest = ?1")?;
            query.query_row([digest], |row| row.get::<_, String>(0)).optional()
        };
        let text = find().map_err(|error| self.unread(&error))?.ok_or_else(|| codec::no_source(digest))?;
        if codec::digest(&text) != digest {
            let message = format!("the source text {digest} in `{}` has been changed", self.file.display());
            let error = Error::new(Kind::Refused, message);
            return Err(error.hint("nothing was done: put the file back from a backup").into());
        }
        Ok(text)
    }
}

/// What is inserted for one record. All but the body is for people with the `sqlite3` tool, and never read back.
struct RecordRow<'r> {
    kind: &'static str,
    id: Option<&'r EffectId>,
    body: String,
}

impl<'r> RecordRow<'r> {
    fn of(record: &'r Record) -> StoreResult<Self> {
        Ok(Self { kind: record.fact.name(), id: record.fact.effect_id(), body: codec::encode(record)? })
    }
}

enum Appended {
    Upto(u64),
    Conflict { found: u64 },
}

/// Whether this account would be let into a state folder: one of another account, or one that others may write to, is
/// refused.
#[must_use]
pub fn may_open(state_dir: &Path) -> bool {
    trusted(state_dir).is_ok()
}

/// Refuses a folder that others may have put something into: a forged answer, a link for us to follow.
fn trusted(folder: &Path) -> Result<()> {
    let Some(Doubt { why, command }) = trust::private_folder(folder) else { return Ok(()) };
    Err(Error::new(Kind::Precondition, format!("the state directory is not safe: {why}"))
        .hint("what is in it could be anyone's: records, answers, links to files of yours")
        .hint("nothing was done; name a folder of your own with `--state DIR`")
        .hint(format!("or look at what is in it, then: {command}")))
}

/// Refuses a file of the journal that is something else, as a link that was planted.
fn plain_file(file: &Path) -> Result<()> {
    match std::fs::symlink_metadata(file) {
        Ok(data) if !data.is_file() && !data.is_dir() => {
            let message = format!("`{}` is not a file: baton follows no links there", file.display());
            Err(Error::new(Kind::Precondition, message)
                .hint(format!("nothing was done; look at what it is: ls -l {}", file.display())))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Makes the folder and the file for nobody but this account, and their names durable.
fn make_private(dir: &Path, file: &Path) -> io::Result<()> {
    if dir.exists() && !dir.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is not a folder"));
    }
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    match made {
        Ok(_) => File::open(dir)?.sync_all(),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// How the database turned out to be.
struct OpenMode {
    layout: i64,
    journal: String,
    readonly: bool,
}

/// Sets the connection up and creates the tables in a new database, if it may be one. A newer one is left as it is.
fn prepare(database: &mut Connection, may_be_new: impl FnOnce() -> bool) -> rusqlite::Result<OpenMode> {
    database.busy_timeout(PATIENCE)?;
    let readonly = database.is_readonly("main")?;
    let layout_of = |database: &Connection| database.pragma_query_value(None, "user_version", |row| row.get(0));
    let mut layout: i64 = layout_of(database)?;
    if readonly || layout > LAYOUT || (layout == 0 && !may_be_new()) {
        return Ok(OpenMode { layout, journal: "wal".into(), readonly });
    }
    let journal = database.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    database.pragma_update(None, "synchronous", "full")?;
    if layout == 0 {
        let write = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        layout = layout_of(&write)?;
        if layout == 0 {
            write.execute_batch(TABLES)?;
            write.pragma_update(None, "user_version", LAYOUT)?;
            layout = LAYOUT;
        }
        write.commit()?;
    }
    Ok(OpenMode { layout, journal, readonly })
}

/// Whether it says that the file is not what it was. A page of garbage is read as values of the wrong kind.
fn damaged(error: &rusqlite::Error) -> bool {
    use rusqlite::Error as Sql;
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
        || matches!(
            error,
            Sql::InvalidColumnType(..) | Sql::FromSqlConversionFailure(..) | Sql::IntegralValueOutOfRange(..)
        )
}

fn damage(file: &Path, error: &rusqlite::Error) -> Box<Error> {
    Error::new(Kind::Refused, format!("the journal `{}` is damaged: {}", file.display(), words(error)))
        .hint("nothing was done: put the file back from a backup, or name another state directory with `--state DIR`")
}

/// The journal is not what it was, though runs were written to it.
fn gone(file: &Path, how: &str, latest: &str, counts: &Counts) -> Box<Error> {
    let message = format!("the journal `{}` {how}, but runs were kept here: {latest} is the latest", file.display());
    Error::new(Kind::Refused, message)
        .hint("nothing was done: put the file back from a backup, with its `journal.db-wal` if there is one")
        .hint(format!("or, if those runs do not matter any more: rm -r {}", counts.folder().display()))
}

/// Somebody has taken a file of the journal away under the run.
fn lost(loss: &Loss) -> Box<Error> {
    Error::new(Kind::Refused, format!("the journal is not whole any more: {loss}; nothing more was done"))
        .hint("what the run did until now is known to its hosts, and on record only as far as the file goes")
        .hint("put the file back, then see what is on record: baton runs")
}

fn broken(run: &str, good: u64) -> Box<Error> {
    let message = format!("the journal of run {run} is damaged: record {good} is the last good one");
    Error::new(Kind::Refused, message)
        .hint("nothing was done: put the state directory back from a backup")
        .hint("see which runs are sound: baton runs")
}

/// SQLite's own words, without what the crate puts around them.
fn words(error: &rusqlite::Error) -> String {
    if let rusqlite::Error::SqliteFailure(_, Some(message)) = error { message.clone() } else { error.to_string() }
}
