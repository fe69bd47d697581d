//! Behind `PgBouncer` in transaction mode: no prepared statement outlives its transaction, and no notification arrives.

use std::{
    fmt::Write as _,
    fs,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::{
    fleet::Places,
    support::{MACHINE, chance::Chance, postgres::PostgresDatabase, process::free_port},
    wire::Client,
};

struct Pooler {
    child: Child,
    _folder: tempfile::TempDir,
    port: u16,
}

impl Pooler {
    /// Three connections to the server for whoever comes, so that every client meets those of others.
    fn start(database: &PostgresDatabase) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let port = free_port();
        let mut text = String::new();
        let _ = write!(
            text,
            "[databases]\n{0} = host=127.0.0.1 port={1} dbname={0} user=postgres\n[pgbouncer]\nlisten_addr=127.0.0.1\n\
             listen_port={port}\nunix_socket_dir=\nauth_type=any\npool_mode=transaction\ndefault_pool_size=3\n\
             max_client_conn=200\nlogfile=\n",
            database.name(),
            PostgresDatabase::port()
        );
        let file = folder.path().join("pgbouncer.ini");
        fs::write(&file, text).expect("its settings");
        let program =
            ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"].into_iter().find(|path| fs::exists(path).unwrap_or(false));
        let mut command = Command::new(program.expect("PgBouncer (Debian: apt-get install pgbouncer)"));
        // It refuses to run as root, and says with -u whom to become.
        let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
        if root {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("a mode");
            command.args(["-u", "postgres"]);
        }
        let child = command.arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("PgBouncer");
        let start = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(10), "PgBouncer does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, _folder: folder, port }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_in_transaction_mode_is_enough() {
    let _machine = MACHINE.lock().await;
    let database = PostgresDatabase::create();
    let pooler = Pooler::start(&database);
    let url = format!("{}?statement-cache-capacity=0", database.url_at(pooler.port));
    let places = Places::on(&vec![url; 2]);
    let fleet = places.start(&[]);
    let person = fleet.person().await;
    let mut chance = Chance::new(Chance::seed());
    let mut clients: Vec<Client> = fleet.addresses().into_iter().map(Client::new).collect();
    for round in 0..15 {
        let (here, there) = (round % 2, (round + 1) % 2);
        let key = person.create(here, &mut chance, "Operator").await.expect("a key");
        let token =
            clients[here].token(&key.id, &key.secret).await.expect("an answer").expect(200).member("access_token");
        clients[there].get("/api/v1/whoami", &token).await.expect("an answer").expect(200);
        if round % 3 == 0 {
            places.first().run(&["keys", "delete", &key.id]).good();
        } else {
            person.delete(there, &key).await.expect("deleted");
        }
        let start = Instant::now();
        for client in &mut clients {
            while client.get("/api/v1/whoami", &token).await.expect("an answer").status == 200 {
                assert!(start.elapsed() < Duration::from_millis(1_500), "the poll is enough");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
    for node in &fleet.nodes {
        let log = node.stderr();
        assert_eq!(log.matches("carries no notifications").count(), 1, "said once: {log}");
        assert!(!log.contains("prepared statement"), "{log}");
    }
    let prepared =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let connections: usize = database.sql(prepared).trim().parse().expect("a number");
    assert!((1..=3).contains(&connections), "{connections} connections to the server, shared by all nodes");
}
