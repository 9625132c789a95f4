// Runs a session file: commands with what they print, as a person would see it.
//   $ kafka-cli errors 6           a command, run by sh with the program under test as kafka-cli, in an empty folder
//   CODE  NAME ...                 its standard output, then each line of its standard error behind "! "
//   [2]                            its exit status, where it is not 0
// Lines before the first command and lines that begin with # are comment. `sessions PROGRAM FILE` compares and exits 1 if anything differs;
// `sessions --update PROGRAM FILE` writes what really came, for a person to read before it is believed.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct command {
    std::string line;
    std::string expected;
};

struct session {
    std::string before;  // comment, kept by --update
    std::vector<command> commands;
};

session parse(std::istream& in) {
    session s;
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("$ ")) s.commands.push_back({line.substr(2), {}});
        else if (s.commands.empty()) s.before += line + "\n";
        else s.commands.back().expected += line + "\n";
    }
    return s;
}

std::string contents(const std::filesystem::path& p) {
    std::ifstream in{p, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

std::string run(const std::string& line, const std::filesystem::path& work) {
    const auto out = work / "out", err = work / "err";
    const auto shell = "exec >'" + out.string() + "' 2>'" + err.string() + "' </dev/null; " + line;
    const int raw = std::system(shell.c_str());
    std::string text = contents(out);
    if (!text.empty() && text.back() != '\n') text += "\\ no line end\n";
    std::istringstream errors{contents(err)};
    for (std::string e; std::getline(errors, e);) text += "! " + e + "\n";
    const int status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    if (status != 0) text += "[" + std::to_string(status) + "]\n";
    return text;
}

// What a session file holds for a command: the blank line before the next is only for the eye.
std::string trimmed(std::string s) {
    while (s.ends_with("\n\n")) s.pop_back();
    return s == "\n" ? std::string{} : s;
}

}  // namespace

int main(int argc, char** argv) {
    const bool update = argc == 4 && std::string_view{argv[1]} == "--update";
    if (argc != 3 && !update) {
        std::cerr << "usage: sessions [--update] PROGRAM FILE\n";
        return 2;
    }
    const std::filesystem::path program = std::filesystem::absolute(argv[argc - 2]), file = std::filesystem::absolute(argv[argc - 1]);
    std::ifstream in{file};
    auto s = parse(in);
    char name[] = "/tmp/kafka-cli-session-XXXXXX";
    if (!::mkdtemp(name)) return 1;
    const std::filesystem::path work{name};
    std::filesystem::create_directory(work / "bin");
    std::filesystem::create_directory(work / "here");
    std::filesystem::create_symlink(program, work / "bin" / "kafka-cli");
    ::setenv("PATH", ((work / "bin").string() + ":" + std::getenv("PATH")).c_str(), 1);
    ::unsetenv("KAFKAWIRE_BOOTSTRAP_SERVERS");
    ::setenv("XDG_CONFIG_HOME", (work / "here" / "xdg").c_str(), 1);
    std::filesystem::current_path(work / "here");
    int wrong = 0;
    std::string updated = s.before;
    for (const auto& c : s.commands) {
        const auto got = run(c.line, work);
        updated += "$ " + c.line + "\n" + got + "\n";
        if (update || got == trimmed(c.expected)) continue;
        ++wrong;
        std::cout << "$ " << c.line << "\n--- expected\n" << trimmed(c.expected) << "--- got\n" << got << "\n";
    }
    std::filesystem::current_path("/");
    std::filesystem::remove_all(work);
    if (update) {
        if (updated.ends_with("\n\n")) updated.pop_back();
        std::ofstream{file} << updated;
    }
    std::cout << s.commands.size() - static_cast<std::size_t>(wrong) << " passed, " << wrong << " failed\n";
    return wrong || s.commands.empty() ? 1 : 0;
}
