// SPDX-License-Identifier: Apache-2.0
#pragma once

// Texts of all workers as one file.

#include <partita/comm/session.hpp>
#include <partita/persist/atomic_file.hpp>

#include <span>
#include <string>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// Writes the texts of worker 0, then those of worker 1, and so on, as one file, by worker 0; what fails there is thrown on all. A
/// collective, into which `pending` goes.
inline void write_texts(Session& session, std::vector<std::string> texts, const std::string& path,
                        const PendingError& pending) {
    std::vector<Bytes> outgoing(session.size());
    const PendingError failed = pending ? pending : attempt([&] {
        if (session.size() == 1) return;
        ByteWriter writer(outgoing[0]);
        for (const std::string& text : texts) writer.write_raw(text.data(), text.size());
        texts.clear();
    });
    const std::vector<Bytes> gathered = session.communicator().all_to_all(std::move(outgoing), failed);
    session.communicator().agree(attempt([&] {
        if (!session.primary()) return;
        std::vector<std::span<const std::byte>> pieces;
        for (const std::string& text : texts) pieces.push_back(as_bytes_of(text));
        for (const Bytes& bytes : gathered) pieces.push_back(bytes);
        write_file_atomically(path, pieces);
    }));
}

}  // namespace partita::inline PARTITA_ABI::detail
