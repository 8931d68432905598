// Words that say nothing about a run's owner. What is not listed here is replaced.
#include "trace/redaction_words.hpp"

#include <algorithm>
#include <initializer_list>
#include <unordered_set>

namespace slowtrace::trace {

namespace {

// "3.11.2", ".6.0.30": what is longer may be a number that means somebody.
constexpr std::size_t longest_version = 8, longest_part = 3;

// Lists of words, a space between two. This one: hier(7) and what stands at its usual place on every system.
constexpr std::string_view file_words =
    "aarch64-linux-gnu bin boot ca-certificates.crt cache certs console default dev dist-packages etc fd full "
    "gai.conf games group home host.conf hostname hosts i386-linux-gnu include lib lib32 lib64 libexec libx32 "
    "local locale localtime lock log machine-id media mnt mqueue node_modules nsswitch.conf null openssl.cnf opt "
    "os-release passwd protocols ptmx pts random resolv.conf root run sbin services share shm site-packages spool "
    "src srv ssl stderr stdin stdout sys terminfo timezone tmp tty ttyACM ttyS ttyUSB urandom usr var "
    "x86_64-linux-gnu zero zoneinfo";

// proc(5) and sysfs(5).
constexpr std::string_view kernel_words =
    "auxv block bus cgroup class clear_refs cmdline comm cpu cpuinfo cpuset cwd devices environ exe fdinfo "
    "filesystems fs kernel limits loadavg maps mem meminfo memory mounts mountinfo net node ns numa_maps "
    "oom_score_adj online online_cpus ostype osrelease pagemap possible present proc random_uuid sched schedstat "
    "self smaps smaps_rollup somaxconn stat statm status swaps system task tcp tcp6 thread-self udp unix uptime "
    "uuid version vm vmstat wchan";

// The C library, its loader, its helpers, and the local daemons that answer for it.
constexpr std::string_view library_words =
    "C.utf8 C.UTF-8 dbus gconv gconv-modules gconv-modules.cache io.systemd.Resolve ld-linux-aarch64 "
    "ld-linux-x86-64 ld-linux ld.so.cache ld.so.conf ld.so.preload ld.so libanl libc libcrypt libcrypto libdl "
    "libexpat libffi libgcc_s liblzma libm libnss_compat libnss_dns libnss_files libnss_myhostname libnss_resolve "
    "libnss_systemd libpthread libresolv librt libssl libstdc++ libutil libz libzstd locale-archive locale.alias "
    "nscd resolve socket system_bus_socket systemd systemd-resolve systemd-resolved";

// Interpreters and tools whose name a reader needs, and the threads they make.
constexpr std::string_view program_words =
    "ThreadPoolExecu MainThread Thread V8Worker DelayedTaskSche libuv-worker node-MainThread SignalInspector [ "
    "ar as awk bash bundle bunzip2 bzip2 cargo cat cc cc1 cc1plus chmod clang clang++ cmake collect2 composer cp "
    "curl cut dash date dd deno df diff dig dirname dnsmasq docker dpkg du echo egrep env expr false find flock "
    "g++ gcc gem getent git go gpg grep gunzip gzip head host id install ionice ip java javac kill ld ldconfig "
    "less ln ls make mkdir mktemp mv nginx ninja nice node nodejs npm npx nslookup openssl patch perl php ping "
    "pip pipenv pipx pkg-config pnpm poetry printf ps pytest python readlink rm rmdir rsync ruby rustc scp sed "
    "seq setsid sh sleep slowtrace sort squid ss ssh stat strace sudo sync tail tar tee test time timeout "
    "tinyproxy touch tr true uname uniq unzip uv wc wget which xargs xz yarn yes zip zsh";

// RFC 9110 §9, RFC 5789, RFC 4918, RFC 9113 §3.4; IANA's "TLS Application-Layer Protocol Negotiation (ALPN) Protocol
// IDs".
constexpr std::string_view tokens =
    "CONNECT COPY DELETE GET HEAD LOCK MKCOL MOVE OPTIONS PATCH POST PRI PROPFIND PROPPATCH PUT SEARCH TRACE "
    "UNLOCK acme-tls/1 coap doq dot ftp h2 h2c h3 http/0.9 http/1.0 http/1.1 imap mqtt pop3 postgresql smb spdy/3 "
    "stun.turn xmpp-client";

// Behind "anon_inode:".
constexpr std::string_view anonymous_inodes =
    "[eventfd] [eventpoll] [fanotify] [fscontext] [io_uring] [landlock-ruleset] [perf_event] [pidfd] [signalfd] "
    "[timerfd] [userfaultfd] inotify";

// In front of ":[inode]": unnamed pipes and sockets, and namespaces(7).
constexpr std::string_view numbered_kinds =
    "pipe socket pidfd cgroup ipc mnt net pid pid_for_children time time_for_children user uts";

using Words = std::unordered_set<std::string_view>;

Words words_of(std::initializer_list<std::string_view> lists) {
    Words words;
    for (std::string_view list : lists)
        for (std::size_t end = 0; !list.empty(); list.remove_prefix(std::min(end + 1, list.size()))) {
            end = std::min(list.find(' '), list.size());
            words.insert(list.substr(0, end));
        }
    return words;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_listed(std::string_view word) {
    static const Words words = words_of({file_words, kernel_words, library_words, program_words});
    return words.contains(word);
}

// Without "-3.11": a short version at the end.
std::string_view without_version(std::string_view word) {
    std::size_t start = word.size(), part = 0;
    for (; start > 0 && (is_digit(word[start - 1]) || word[start - 1] == '.'); --start) {
        part = is_digit(word[start - 1]) ? part + 1 : 0;
        if (part > longest_part) return word;
    }
    if (word.size() - start > longest_version) return word;
    return start > 0 && start < word.size() && word[start - 1] == '-' ? word.substr(0, start - 1)
                                                                      : word.substr(0, start);
}

// Without ".so.6".
std::string_view without_library_ending(std::string_view word) {
    constexpr std::string_view ending = ".so";
    const std::string_view stem = without_version(word);
    return stem.ends_with(ending) ? stem.substr(0, stem.size() - ending.size()) : word;
}

}  // namespace

bool is_public_word(std::string_view component) {
    return is_listed(component) || is_listed(without_version(without_library_ending(component)));
}

bool is_public_token(std::string_view token) {
    static const Words words = words_of({tokens});
    return words.contains(token);
}

bool is_kernel_object(std::string_view target) {
    const std::size_t colon = target.find(':');
    if (colon == std::string_view::npos) return false;
    const std::string_view kind = target.substr(0, colon);
    std::string_view rest = target.substr(colon + 1);
    static const Words inodes = words_of({anonymous_inodes}), numbered = words_of({numbered_kinds});
    if (kind == "anon_inode") return inodes.contains(rest);
    if (!numbered.contains(kind) || rest.size() < 3 || rest.front() != '[' || rest.back() != ']') return false;
    rest = rest.substr(1, rest.size() - 2);
    return rest.size() <= 20 && std::all_of(rest.begin(), rest.end(), is_digit);
}

}  // namespace slowtrace::trace
