// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sequences of anything as text files of one line an element, and back.

#include <partita/data/partitioned.hpp>
#include <partita/io/csv/source.hpp>
#include <partita/io/csv/write_texts.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// Writes the text `line(element)` of each element as a line of one file, in their order:
/// `write_lines(tracks, "tracks.txt", [](const Track& track) { return track.name; })`.
///
/// A collective: every worker calls it, worker 0 writes. The file appears whole or not at all. Errors: InvalidSetting for a text with
/// a line feed in it; FileError; what the function throws; on all workers. Determinism: the same bytes for any number of threads and
/// workers. Cost: each worker holds the text of its elements in memory, twice while it is put together and while it is sent; worker 0
/// receives that of all others, so it holds the whole text.
template <class T, class F>
void write_lines(const Partitioned<T>& sequence, const std::string& path, F line) {
    static_assert(
        std::is_constructible_v<std::string, std::invoke_result_t<F&, const T&>>,
        "write_lines takes a function that gives the text of an element, without its line end: a std::string, a "
        "std::string_view or what converts to one");
    std::vector<std::string> texts(sequence.chunks().size());
    PendingError pending;
    {
        const auto lines = sequence.map([&line](const T& element) {
            std::string text(line(element));
            if (text.find('\n') != std::string::npos)
                throw InvalidSetting(
                    "write_lines: the text of an element has a line feed in it, and would be read as two lines; "
                    "let the function write it otherwise, as \\n, say",
                    Place{.setting = "line"});
            text += '\n';
            return text;
        });
        pending = attempt([&] {
            sequence.session().for_each(texts.size(), [&](std::size_t index, std::size_t) {
                for (const std::string& text : lines.chunks()[index]->values) texts[index] += text;
            });
        });
    }
    detail::write_texts(sequence.session(), std::move(texts), path, pending);
}

inline namespace PARTITA_DETAIL_GZIP {

/// The lines of a text file without their line feeds, under the ids 0, 1, …: what write_lines wrote. The last need not have one.
///
/// A byte order mark and a carriage return before a line feed stay in the lines.
///
/// A collective: every worker calls it and holds its share of the blocks. Errors, on all workers: FileError; for names in .gz
/// BadCompression, and MissingComponent without partita::gzip; CollectiveMismatch where the workers see files of other sizes or
/// numbers of lines. A file must not become shorter while it is read. Cost: every worker looks through the whole text for line
/// feeds, at the speed of memory, and copies its share.
inline Partitioned<std::string> read_lines(Session& session, const std::string& path) {
    using Part = detail::ElementChunk<std::string>;
    detail::SourceText source;
    const auto end_of = [&](std::size_t start) { return std::min(source.text.find('\n', start), source.text.size()); };
    std::vector<std::size_t> starts;  // of the blocks
    std::size_t lines = 0;
    const PendingError pending = attempt([&] {
        source = detail::load_text(path);
        for (std::size_t at = 0; at < source.text.size(); at = end_of(at) + 1, ++lines)
            if (lines % static_cast<std::size_t>(block_rows) == 0) starts.push_back(at);
    });
    Bytes mine;
    ByteWriter writer(mine);
    writer.write(static_cast<std::uint64_t>(source.text.size()));
    writer.write(static_cast<std::uint64_t>(lines));
    const std::vector<Bytes> gathered = session.communicator().all_gather(mine, pending);
    for (std::size_t rank = 0; rank < gathered.size(); ++rank) {
        ByteReader first(gathered[0]), reader(gathered[rank]);
        for (const char* what : {"bytes", "lines"})
            detail::demand_same_file(path, what, first.read<std::uint64_t>(), reader.read<std::uint64_t>(), rank);
    }
    detail::ChunkList<Part> chunks;
    session.communicator().agree(attempt([&] {
        chunks = detail::share_of_rows<Part>(
            session, lines, detail::default_chunk_blocks, [&](std::size_t first, std::size_t count) {
                std::vector<std::string> values;
                values.reserve(count);
                for (std::size_t at = starts[first / static_cast<std::size_t>(block_rows)]; values.size() < count;) {
                    const std::size_t end = end_of(at);
                    values.emplace_back(source.text.substr(at, end - at));
                    at = end + 1;
                }
                return std::make_shared<const Part>(static_cast<std::int64_t>(first), std::move(values));
            });
    }));
    return Partitioned<std::string>(session, std::move(chunks));
}

}  // namespace PARTITA_DETAIL_GZIP

}  // namespace partita::inline PARTITA_ABI
