//! Reading the tables: each as texts of many lines, a line for a row.

use super::{APPLICATIONS, CLIENT_ID, MEMBERSHIPS, SECRETS, TABLE_COUNT};
use crate::store::tx::Inner;
use crate::store::{StoreError, Tx};
use futures_util::TryStreamExt as _;
use sqlx::Row as _;
use std::sync::LazyLock;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// In the order in which they are put together.
static TABLES: LazyLock<[Table; TABLE_COUNT]> = LazyLock::new(|| [MEMBERSHIPS, SECRETS, APPLICATIONS].map(Table::new));

/// What is read of a table, on its way to who puts it together: texts of many lines.
pub(super) type Lines = mpsc::Receiver<String>;

/// How many texts of many lines may wait.
const AHEAD: usize = 64;

/// Starts a reader for each transaction; the first ones take a table more if there are fewer transactions than tables.
/// A table is read to its end before the next one of the same reader, in the order in which they are put together.
pub(super) fn read(transactions: Vec<Tx>, readers: &mut JoinSet<Result<(), StoreError>>) -> [Lines; TABLE_COUNT] {
    let mut tasks: Vec<(Tx, Vec<Task>)> = transactions.into_iter().map(|tx| (tx, Vec::new())).collect();
    let count = tasks.len().max(1);
    let lines = std::array::from_fn(|number| {
        let (sender, receiver) = mpsc::channel(AHEAD);
        if let Some((_, tables)) = tasks.get_mut(number % count) {
            tables.push((&TABLES[number], sender));
        }
        receiver
    });
    for (mut tx, tables) in tasks {
        readers.spawn(async move {
            for (table, sender) in tables {
                table.read(&mut tx, &sender).await?;
            }
            Ok(())
        });
    }
    lines
}

/// A table, and who waits for its lines.
type Task = (&'static Table, mpsc::Sender<String>);

struct Table {
    statement: &'static str,
    /// The same, for SQLite, some hundred rows at a time after a place: a row costs it far more than a line.
    by_hundreds: String,
}

impl Table {
    fn new(statement: &'static str) -> Self {
        let columns = statement.strip_prefix("SELECT ").expect("the statement is one of the three above");
        let by_hundreds = format!(
            "SELECT group_concat(line, char(10)) AS lines, MAX(place) AS place FROM (SELECT rowid AS place, {columns} \
             WHERE rowid > $1 ORDER BY rowid LIMIT 300)"
        );
        Self { statement, by_hundreds }
    }

    /// Sends all lines. Nobody who listens is no fault of the reader.
    async fn read(&'static self, tx: &mut Tx, lines: &mpsc::Sender<String>) -> Result<(), StoreError> {
        match tx.inner() {
            Inner::Sqlite(transaction) => {
                let mut after = i64::MIN;
                loop {
                    let (text, place): (Option<String>, Option<i64>) =
                        sqlx::query_as(self.by_hundreds.as_str()).bind(after).fetch_one(&mut **transaction).await?;
                    let (Some(text), Some(place)) = (text, place) else { return Ok(()) };
                    if lines.send(text).await.is_err() {
                        return Ok(());
                    }
                    after = place;
                }
            }
            Inner::Postgres(transaction) => {
                const ENOUGH: usize = 32 * 1024;
                let mut rows = sqlx::query(self.statement).fetch(&mut **transaction);
                let mut text = String::with_capacity(ENOUGH + 1024);
                while let Some(row) = rows.try_next().await? {
                    if text.len() >= ENOUGH {
                        let full = std::mem::replace(&mut text, String::with_capacity(ENOUGH + 1024));
                        if lines.send(full).await.is_err() {
                            return Ok(());
                        }
                    }
                    if !text.is_empty() {
                        text.push('\n');
                    }
                    text.push_str(row.try_get(0)?);
                }
                if !text.is_empty() {
                    let _ = lines.send(text).await;
                }
                Ok(())
            }
        }
    }
}

/// Reads the lines as they come. No line contains a line break: names can't, and the rest is the hub's own.
pub(super) async fn each_line(texts: &mut Lines, mut read: impl FnMut(&str) -> Option<()>) -> Result<(), StoreError> {
    while let Some(text) = texts.recv().await {
        for line in text.split('\n') {
            read(line).ok_or_else(|| {
                let begin: String = line.chars().take(CLIENT_ID).collect();
                StoreError::Unreadable(format!("application {begin}: a row of its tables"))
            })?;
        }
    }
    Ok(())
}
