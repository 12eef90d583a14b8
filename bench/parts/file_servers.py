"""Servers of other people that a file transfer is compared with, as far as they are installed: nginx, vsftpd, sshd.

Each is started on loopback with a configuration of its own in a working folder, and stopped by its process id.
"""
import os
import shutil
import subprocess

from measure.processes import free_port, stop, wait_for


def program(name):
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def start(command, port):
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        wait_for(port, process)
    except RuntimeError:
        stop(process)
        raise
    return process


def write(path, text):
    with open(path, "w") as out:
        out.write(text)
    return path


def certificate(work):
    key, crt = f"{work}/peer.key", f"{work}/peer.crt"
    if not os.path.exists(crt):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                        "-nodes", "-subj", "/CN=localhost", "-days", "2", "-keyout", key, "-out", crt],
                       check=True, capture_output=True)
    return key, crt


def nginx(work, root):
    """Plain and TLS 1.3; returns the process and the commands that fetch `big`."""
    plain, secure = free_port(), free_port()
    key, crt = certificate(work)
    paths = "".join(f"{kind}_temp_path {work}/nginx-tmp; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    config = write(f"{work}/nginx.conf", f"""
daemon off; worker_processes 1; pid {work}/nginx.pid; error_log {work}/nginx.log;
{'user root;' if os.getuid() == 0 else ''}
events {{ worker_connections 64; }}
http {{
  access_log off; sendfile on; tcp_nopush on; {paths}
  server {{ listen 127.0.0.1:{plain}; root {root}; }}
  server {{ listen 127.0.0.1:{secure} ssl; root {root}; ssl_protocols TLSv1.3;
           ssl_certificate {crt}; ssl_certificate_key {key}; }}
}}
""")
    process = start([program("nginx"), "-c", config, "-e", f"{work}/nginx.log", "-p", work], plain)
    return process, {
        "nginx + curl": f"curl -sf -o {{dst}} http://127.0.0.1:{plain}/big",
        "nginx + curl, TLS 1.3 AES-128-GCM":
            f"curl -sfk --tls13-ciphers TLS_AES_128_GCM_SHA256 -o {{dst}} https://127.0.0.1:{secure}/big",
    }


def vsftpd(work, root):
    port = free_port()
    empty = f"{work}/empty"
    os.makedirs(empty, exist_ok=True)
    config = write(f"{work}/vsftpd.conf", f"""
listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
anonymous_enable=YES
no_anon_password=YES
anon_root={root}
secure_chroot_dir={empty}
seccomp_sandbox=NO
""")
    return start([program("vsftpd"), config], port), {
        "vsftpd + curl": f"curl -sf -o {{dst}} ftp://127.0.0.1:{port}/big"}


def sshd(work, root):
    port = free_port()
    os.makedirs("/run/sshd", exist_ok=True)
    for name in ("host", "user"):
        if not os.path.exists(f"{work}/{name}_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{work}/{name}_key"], check=True)
    config = write(f"{work}/sshd.conf", f"""
ListenAddress 127.0.0.1
Port {port}
HostKey {work}/host_key
AuthorizedKeysFile {work}/user_key.pub
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
PasswordAuthentication no
Subsystem sftp internal-sftp
""")
    client = write(f"{work}/ssh.conf", f"""
Host *
  IdentityFile {work}/user_key
  UserKnownHostsFile /dev/null
  StrictHostKeyChecking no
  LogLevel ERROR
""")
    scp = f"scp -q -F {client} -P {port}"
    return start([program("sshd"), "-D", "-f", config], port), {
        "scp, aes128-gcm": f"{scp} -c aes128-gcm@openssh.com root@127.0.0.1:{root}/big {{dst}}"}


def installed(work, root):
    """All that is here and starts: processes, and name -> command with {dst}."""
    processes, tools = [], {}
    needs_root = {"vsftpd", "sshd"}
    for name, begin, client in (("nginx", nginx, "curl"), ("vsftpd", vsftpd, "curl"), ("sshd", sshd, "scp")):
        if not program(name) or not program(client) or (name in needs_root and os.getuid() != 0):
            continue
        try:
            process, commands = begin(work, root)
        except (RuntimeError, subprocess.CalledProcessError) as error:
            print(f"({name} left out: {error})")
            continue
        processes.append(process)
        tools.update(commands)
    return processes, tools
