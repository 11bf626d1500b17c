// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the suites over all communication policies share.

#include <partita/comm/run.hpp>
#include <partita/core/random.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace communicator_contract {

namespace pt = partita;

inline const std::vector<std::size_t> worker_counts{1, 2, 3, 5, 8};

/// Runs a body on so many workers and keeps what each of them reports: assertions belong to the test's own thread.
template <class Policy, class Body>
std::vector<std::string> report(pt::RunSettings settings, Body body) {
    std::vector<std::string> lines(settings.workers);
    settings.threads = 1;
    settings.progress = pt::ShowProgress::never;
    pt::run<Policy>(settings, [&](pt::Session& session) { lines[session.rank()] = body(session); });
    return lines;
}

/// What came of an action, in words: "fine", or the cause with process and block, or the type.
template <class Action>
std::string outcome(Action&& action) {
    try {
        action();
        return "fine";
    } catch (const pt::RemoteError& error) {
        return "remote_error of " + std::to_string(error.place().process) + ": " + error.type();
    } catch (const pt::Error& error) {
        return std::string(error.cause()) + " of " + std::to_string(error.place().process);
    } catch (const std::exception& error) {
        return std::string("original ") + error.what();
    } catch (int number) {
        return "original int " + std::to_string(number);
    }
}

inline std::vector<std::string> all(std::size_t workers, const std::string& line) {
    return std::vector<std::string>(workers, line);
}

/// Numbers that depend on the arguments alone.
inline std::uint64_t scrambled(std::uint64_t a, std::uint32_t b = 0, std::uint64_t c = 0) {
    const auto bits = pt::random_bits(c, b, a);
    return bits[0] | std::uint64_t{bits[1]} << 32;
}

/// A policy as a user would write one: everybody talks to worker 0.
template <class Transport = pt::InProcess>
class Star {
  public:
    using transport = Transport;
    explicit Star(pt::Link& link) : link_(link) {}
    std::size_t rank() const { return link_.rank(); }
    std::size_t size() const { return link_.size(); }

    void all_reduce(std::span<std::int64_t> words, pt::Reduction reduction) {
        if (rank() == 0) {
            for (std::size_t i = 1; i < size(); ++i) link_.combine(i, words, reduction);
            for (std::size_t i = 1; i < size(); ++i) link_.send(i, words);
        } else {
            link_.send(0, words);
            link_.receive(0, words);
        }
    }
    std::vector<pt::Bytes> all_gather(std::span<const std::byte> mine) {
        std::vector<pt::Bytes> all{pt::Bytes(mine.begin(), mine.end())};
        if (rank() != 0) {
            link_.send(0, mine);
            all.clear();
            for (std::size_t i = 0; i < size(); ++i) all.push_back(link_.receive(0));
        } else {
            for (std::size_t i = 1; i < size(); ++i) all.push_back(link_.receive(i));
            for (std::size_t i = 1; i < size(); ++i) {
                for (const pt::Bytes& bytes : all) link_.send(i, bytes);
            }
        }
        return all;
    }
    void broadcast(pt::Bytes& bytes, std::size_t root) {
        if (rank() == root) {
            for (std::size_t i = 0; i < size(); ++i) {
                if (i != root) link_.send(i, bytes);
            }
        } else {
            bytes = link_.receive(root);
        }
    }

  private:
    pt::Link& link_;
};

}  // namespace communicator_contract
