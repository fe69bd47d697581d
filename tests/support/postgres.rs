//! One private PostgreSQL cluster for a test binary, made at first use, and a database for each test.
//!
//! `PostgreSQL` refuses to run as root, so then it runs as `postgres`. A guard process waits for the end of the test
//! process, however that comes, and stops and removes the cluster.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

struct Cluster {
    port: u16,
    folder: PathBuf,
    programs: PathBuf,
    /// Holds the guard's input open: it ends with this process.
    _guard: Child,
}

/// A database of its own; dropped with this value.
pub struct PostgresDatabase {
    pub url: String,
    name: String,
}

impl PostgresDatabase {
    /// Makes an empty database, starting the cluster when this is the first.
    pub fn create() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let cluster = cluster();
        let name = format!("hub_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        sql(cluster, "postgres", &format!("CREATE DATABASE {name}"));
        let url = format!("postgres://postgres@127.0.0.1:{}/{name}", cluster.port);
        Self { url, name }
    }

    /// Cuts every connection to this database and refuses new ones: how a node sees a lost store.
    pub fn cut_off(&self) {
        sql(cluster(), "postgres", &format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.name));
        self.disconnect();
    }

    /// Lets connections in again.
    pub fn reconnect(&self) {
        sql(cluster(), "postgres", &format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.name));
    }

    /// Runs SQL on this database with `psql` and returns what it prints.
    pub fn sql(&self, statement: &str) -> String {
        sql(cluster(), &self.name, statement)
    }

    /// The same database by way of another port, such as a pooler's.
    pub fn url_at(&self, port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/{}", self.name)
    }

    /// The port of the server.
    pub fn port() -> u16 {
        cluster().port
    }

    /// The name of the database.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Keeps a copy of the database as it stands, for [`Self::put_back`]. Connections are cut meanwhile.
    pub fn copy(&self) {
        self.cut_off();
        sql(cluster(), "postgres", &format!("CREATE DATABASE {0}_copy TEMPLATE {0}", self.name));
        self.reconnect();
    }

    /// Puts the copy in the database's place, as a restore does.
    pub fn put_back(&self) {
        self.cut_off();
        sql(cluster(), "postgres", &format!("DROP DATABASE {} WITH (FORCE)", self.name));
        sql(cluster(), "postgres", &format!("ALTER DATABASE {0}_copy RENAME TO {0}", self.name));
    }

    /// Stops the server and starts it again.
    pub fn restart_server() {
        let cluster = cluster();
        let log = cluster.folder.join("log");
        let mut command = as_postgres(&cluster.programs.join("pg_ctl"));
        run(command
            .args(["-w", "-t", "60", "-m", "fast", "-l"])
            .arg(log)
            .arg("-D")
            .arg(cluster.folder.join("data"))
            .arg("restart"));
    }

    fn disconnect(&self) {
        let name = &self.name;
        let cut = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        sql(cluster(), "postgres", &cut);
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        let cluster = cluster();
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let _ = psql(cluster, "postgres", &drop).output();
    }
}

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(start)
}

fn start() -> Cluster {
    let programs = programs();
    let folder = std::env::temp_dir().join(format!("gateway-hub-postgres-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder for the cluster");
    let data = folder.join("data");
    if is_root() {
        run(Command::new("chown").arg("postgres").arg(&folder));
    }
    run(as_postgres(&programs.join("initdb"))
        .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "-D"])
        .arg(&data));
    let guard = guard(&programs, &folder);
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
    let options = format!(
        "-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={} -c fsync=off -c max_connections=200 \
         -c shared_buffers=16MB",
        folder.display()
    );
    run(as_postgres(&programs.join("pg_ctl"))
        .args(["-w", "-t", "60", "-l"])
        .arg(folder.join("log"))
        .arg("-o")
        .arg(options)
        .arg("-D")
        .arg(&data)
        .arg("start"));
    Cluster { port, folder, programs, _guard: guard }
}

/// Reads until its input ends, which happens when the test process is gone, then cleans up.
fn guard(programs: &Path, folder: &Path) -> Child {
    let script = r#"cat >/dev/null
        if [ "$(id -u)" = 0 ]; then
            runuser -u postgres -- "$1/pg_ctl" -D "$2/data" -m immediate stop
        else
            "$1/pg_ctl" -D "$2/data" -m immediate stop
        fi
        rm -rf "$2""#;
    Command::new("sh")
        .args(["-c", script, "guard"])
        .arg(programs)
        .arg(folder)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell to guard the cluster")
}

/// The newest installed version's programs; Debian keeps them out of the path.
fn programs() -> PathBuf {
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = installed.map(|entry| entry.path().join("bin")).filter(|path| path.join("initdb").exists()).max();
    newest.expect("PostgreSQL's server programs (Debian: apt-get install postgresql)")
}

fn is_root() -> bool {
    user_id() == "0"
}

fn user_id() -> String {
    let output = Command::new("id").arg("-u").output().expect("id");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn as_postgres(program: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir("/").stdin(Stdio::null());
    command
}

fn run(command: &mut Command) {
    // pg_ctl's server would keep a pipe open for ever, so only errors are kept, in a file.
    let errors = tempfile::NamedTempFile::new().expect("a file for errors");
    let status = command.stdout(Stdio::null()).stderr(errors.reopen().expect("the same file")).status();
    let status = status.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {}", fs::read_to_string(errors.path()).unwrap_or_default());
}

fn psql(cluster: &Cluster, database: &str, statement: &str) -> Command {
    let mut command = Command::new(cluster.programs.join("psql"));
    command
        .args(["-h", "127.0.0.1", "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-qAt", "-p"])
        .arg(cluster.port.to_string())
        .args(["-d", database, "-c", statement])
        .current_dir("/");
    command
}

fn sql(cluster: &Cluster, database: &str, statement: &str) -> String {
    let start = Instant::now();
    loop {
        let output = psql(cluster, database, statement).output().expect("psql");
        if output.status.success() {
            return String::from_utf8_lossy(&output.stdout).into_owned();
        }
        // Two CREATE DATABASE at once may find the template in use.
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let busy = errors.contains("is being accessed by other users");
        assert!(busy && start.elapsed() < Duration::from_secs(10), "{statement}: {errors}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
