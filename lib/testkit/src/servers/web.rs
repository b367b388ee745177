//! Starts nginx in front of git's http-backend, with and without passwords and TLS, and a proxy.

use camino::{Utf8Path, Utf8PathBuf};

use super::process::{self, Server};
use crate::{Repo, World};

/// A web server that serves every repository of a world:
///
/// - below `/open/` to everyone,
/// - below `/private/` to `mike` with the password `s3cret pass`, and below `/hasty/` the same with connections that
///   are closed after 50 ms without a request,
/// - below `/moved/` by a redirect to `/open/`, and below `/elsewhere/` by a redirect to `/open/` on the host
///   `localhost`,
/// - below `/forbidden/` to no one (403), below `/small/` with a limit of 1 kB per request (413), below `/broken/`
///   never (500), below `/away/` with a temporary failure (502), and at `/page/` a page that has nothing to do with
///   git,
/// - over TLS also on a separate port with a self-signed certificate, see [`Web::self_signed_url`],
/// - below `/private-post/`, `/broken-post/` and `/page-post/` like that for POST requests only, when the exchange
///   has already begun.
#[derive(Debug)]
pub struct Web {
    _nginx: Server,
    _fcgiwrap: Server,
    folder: Utf8PathBuf,
    base: Utf8PathBuf,
    http: u16,
    https: u16,
    self_signed: u16,
    proxy: u16,
}

impl Web {
    /// Starts a server for the repositories of `world`.
    pub fn start(world: &World) -> Self {
        let nginx = process::program("nginx", "nginx");
        let fcgiwrap = process::program("fcgiwrap", "fcgiwrap");
        let folder = world.path().join("web");
        std::fs::create_dir_all(folder.join("logs")).expect("the server's folder");
        certificates(&folder);
        std::fs::write(folder.join("passwords"), "mike:{PLAIN}s3cret pass\n").expect("the passwords");
        let ports @ [http, https, self_signed, proxy] = std::array::from_fn(|_| process::free_port());
        let config = folder.join("nginx.conf");
        std::fs::write(&config, configuration(world, &folder, ports)).expect("the configuration");

        let mut command = process::command(fcgiwrap);
        command.args(["-c", "4", "-s", &format!("unix:{folder}/cgi.socket")]);
        let fcgiwrap = Server::start(command, folder.join("logs/fcgiwrap").as_std_path());
        let log = folder.join("logs/nginx");
        let mut command = process::command(nginx);
        command.args(["-p", folder.as_str(), "-c", config.as_str(), "-e", log.as_str(), "-g", "daemon off;"]);
        let nginx = Server::start(command, log.as_std_path());
        for port in ports {
            process::wait_for(port, log.as_std_path());
        }
        let base = world.path().to_owned();
        Self { _nginx: nginx, _fcgiwrap: fcgiwrap, folder, base, http, https, self_signed, proxy }
    }

    /// Returns its port on 127.0.0.1, without TLS.
    pub fn port(&self) -> u16 {
        self.http
    }

    /// Returns the URL of `repo` below `place`, such as `open`.
    pub fn url(&self, place: &str, repo: &Repo) -> String {
        format!("http://127.0.0.1:{}/{place}/{}", self.http, self.below(repo))
    }

    /// Returns the same over TLS, with a certificate signed by [`Web::ca`].
    pub fn tls_url(&self, place: &str, repo: &Repo) -> String {
        format!("https://127.0.0.1:{}/{place}/{}", self.https, self.below(repo))
    }

    /// Returns the same with the certificate [`Web::self_signed`], which is valid only if `host` is `localhost`.
    pub fn self_signed_url(&self, host: &str, place: &str, repo: &Repo) -> String {
        format!("https://{host}:{}/{place}/{}", self.self_signed, self.below(repo))
    }

    /// Returns the path of the server's self-signed certificate, which is marked as an authority's, as those of
    /// `openssl req -x509` are.
    pub fn self_signed(&self) -> Utf8PathBuf {
        self.folder.join("own.pem")
    }

    /// Returns the path of the certificate of the authority that signed the server's.
    pub fn ca(&self) -> Utf8PathBuf {
        self.folder.join("ca.pem")
    }

    /// Returns the URL of a proxy that forwards requests for any host to this server.
    pub fn proxy(&self) -> String {
        format!("http://127.0.0.1:{}", self.proxy)
    }

    /// Returns the requests so far, one line each.
    pub fn requests(&self) -> String {
        std::fs::read_to_string(self.folder.join("logs/requests")).unwrap_or_default()
    }

    fn below(&self, repo: &Repo) -> String {
        repo.path().strip_prefix(&self.base).expect("a repository of the world").to_string()
    }
}

/// Creates an authority, and a certificate for 127.0.0.1.
fn certificates(folder: &Utf8Path) {
    let openssl = |args: &[&str]| {
        let mut command = process::command(process::program("openssl", "openssl"));
        command.args(args).current_dir(folder);
        process::run(command);
    };
    std::fs::write(folder.join("extensions"), "subjectAltName=IP:127.0.0.1\n").expect("a file");
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let ca = ["req", "-x509", "-days", "2", "-subj", "/CN=Test CA", "-keyout", "ca.key", "-out", "ca.pem"];
    openssl(&[&ca[..], &key].concat());
    let own =
        ["req", "-x509", "-days", "2", "-subj", "/CN=localhost", "-keyout", "own.key", "-out", "own.pem"];
    openssl(&[&own[..], &["-addext", "subjectAltName=DNS:localhost"], &key].concat());
    let request = ["req", "-new", "-subj", "/CN=127.0.0.1", "-keyout", "server.key", "-out", "server.csr"];
    openssl(&[&request[..], &key].concat());
    openssl(&[
        "x509",
        "-req",
        "-days",
        "2",
        "-in",
        "server.csr",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-extfile",
        "extensions",
        "-out",
        "server.pem",
    ]);
}

fn configuration(world: &World, folder: &Utf8Path, [http, https, self_signed, proxy]: [u16; 4]) -> String {
    let mut exec_path = process::command("git");
    exec_path.arg("--exec-path");
    let backend = format!("{}/git-http-backend", process::run(exec_path));
    let root = world.path();
    let user = if process::is_root() { "user root;" } else { "" };
    let git = format!(
        "fastcgi_pass unix:{folder}/cgi.socket;
         include /etc/nginx/fastcgi_params;
         fastcgi_param SCRIPT_FILENAME {backend};
         fastcgi_param GIT_PROJECT_ROOT {root};
         fastcgi_param GIT_HTTP_EXPORT_ALL 1;
         fastcgi_param GIT_CONFIG_GLOBAL {};
         fastcgi_param GIT_CONFIG_NOSYSTEM 1;
         fastcgi_param GIT_PROTOCOL $http_git_protocol;
         fastcgi_param REMOTE_USER $remote_user;
         fastcgi_param PATH_INFO $1;",
        world.git_config()
    );
    let passwords = format!("auth_basic Git; auth_basic_user_file {folder}/passwords;");
    let posts = "if ($request_method = POST)";
    let places = format!(
        "access_log logs/requests seen;
         location ~ ^/open(/.*)$ {{ {git} }}
         location ~ ^/private(/.*)$ {{ {passwords} {git} }}
         location ~ ^/private-post(/.*)$ {{ limit_except GET {{ {passwords} }} {git} }}
         location ~ ^/broken-post(/.*)$ {{ {posts} {{ return 500; }} {git} }}
         location ~ ^/page-post(/.*)$ {{ default_type text/html; {posts} {{ return 200 '<h1>hello</h1>'; }} {git} }}
         location ~ ^/hasty(/.*)$ {{ keepalive_timeout 50ms; {passwords} {git} }}
         location ~ ^/small(/.*)$ {{ client_max_body_size 1k; {git} }}
         location ~ ^/moved(/.*)$ {{ return 301 /open$1$is_args$args; }}
         location ~ ^/elsewhere(/.*)$ {{ return 302 $scheme://localhost:$server_port/open$1$is_args$args; }}
         location /forbidden/ {{ return 403; }}
         location /broken/ {{ return 500; }}
         location /away/ {{ return 502; }}
         location /page/ {{ default_type text/html; return 200 '<h1>hello</h1>'; }}"
    );
    format!(
        "{user}
         worker_processes 1;
         pid {folder}/nginx.pid;
         events {{ worker_connections 256; }}
         http {{
           log_format seen '$server_port $status $request_method $host$request_uri x=$http_x_extra';
           client_body_temp_path {folder}/body;
           proxy_temp_path {folder}/proxied;
           fastcgi_temp_path {folder}/answers;
           uwsgi_temp_path {folder}/unused;
           scgi_temp_path {folder}/unused2;
           client_max_body_size 0;
           server {{ listen 127.0.0.1:{http}; {places} }}
           server {{ listen 127.0.0.1:{https} ssl; ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key; {places} }}
           server {{ listen 127.0.0.1:{self_signed} ssl; ssl_certificate {folder}/own.pem; ssl_certificate_key {folder}/own.key; {places} }}
           server {{ listen 127.0.0.1:{proxy}; access_log logs/requests seen;
                     location / {{ proxy_pass http://127.0.0.1:{http}; }} }}
         }}"
    )
}
