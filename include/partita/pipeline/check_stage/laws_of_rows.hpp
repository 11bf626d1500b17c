// SPDX-License-Identifier: Apache-2.0
#pragma once

// Laws about rows: each is transformed by itself, whatever stands beside it and in whichever form it comes.

#include <partita/pipeline/check_stage/bench.hpp>

namespace partita::inline PARTITA_ABI::detail {

inline void check_rows(LawBench& bench) {
    bench.law("a subset of the rows is transformed as in the whole", [&]() -> std::string {
        std::vector<std::uint32_t> chosen;
        for (std::size_t row = 0; row < bench.sound->rows(); ++row)
            if (uniform(bench.settings.seed, stream_id("subset"), row) < 0.3)
                chosen.push_back(static_cast<std::uint32_t>(row));
        return bench.compare(*bench.result, *bench.transform(*bench.fitted, keep_rows(*bench.sound, chosen)), chosen);
    });
    bench.law("rows in another order give the same values", [&]() -> std::string {
        std::vector<std::uint32_t> order(bench.sound->rows());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
        for (std::size_t i = order.size(); i > 1; --i)
            std::swap(order[i - 1], order[uniform_index(bench.settings.seed, stream_id("order"), i, i)]);
        return bench.compare(*bench.result, *bench.transform(*bench.fitted, pick_rows(*bench.sound, order)), order);
    });
    bench.law("a frame is transformed as the dataset",
              [&] { return bench.compare(*bench.result, *bench.fitted->transform_frame(bench.sound)); });
    bench.law("a single row is transformed as in the dataset", [&]() -> std::string {
        std::vector<std::size_t> columns;
        for (std::size_t c = 0; c < bench.facts.single.size(); ++c)
            if (bench.facts.single[c]) columns.push_back(c);
        bench.only_for(!columns.empty(), "no column that the stage writes has a form for single rows");
        const std::size_t step = std::max<std::size_t>(1, bench.sound->rows() / 97);
        for (std::size_t row = 0; row < bench.sound->rows(); row += step) {
            std::string of_frame, of_row;
            for (std::size_t c : columns) put_value(of_frame, bench.result->column(c).all(), row);
            bench.fitted->transform_row(*bench.sound, row, of_row);
            if (of_row != of_frame)
                return "row " + std::to_string(bench.sound->row_id(row)) +
                       " alone gives other bits than in the dataset" + bench.at_seed();
        }
        return {};
    });
    bench.law("transform from eight threads at once gives the same values", [&]() -> std::string {
        std::string found[8];
        ThreadPool pool(8, false);
        pool.for_each(8, [&](std::size_t index, std::size_t) {
            found[index] = bench.compare(*bench.result, *bench.fitted->transform_frame(bench.sound));
        });
        for (const std::string& text : found)
            if (!text.empty()) return text;
        return {};
    });
    bench.law("in a longer pipeline the stage does what it does alone", [&]() -> std::string {
        const FittedPointer longer = bench.fit(bench.sound, false, ProbeStage::longer);
        const ChunkPointer found = bench.transform(*longer, bench.sound);
        std::vector<ColumnData> columns;
        std::vector<std::int64_t> ids;
        for (std::size_t row = 0; row < found->rows(); ++row) ids.push_back(found->row_id(row));
        for (const ColumnInfo& info : bench.facts.result)
            columns.push_back(found->column(static_cast<std::size_t>(find_column(longer->columns(), info.name))));
        return bench.compare(*bench.result, Chunk(std::move(ids), std::move(columns)));
    });
    bench.law("vectors of another width are refused after the fit", [&]() -> std::string {
        bench.only_for_learners();
        bool open = false;
        for (const CheckedColumn& column : bench.facts.columns)
            open |= column.read_by_transform && column.info.type.extent == dynamic &&
                    (kind_bit(column.info.type.kind) & (dense_vector_kinds | sparse_vector_kinds)) != 0;
        bench.only_for(open, "the stage reads no vector whose width is found at run time");
        RowRecipe wider = bench.recipe;
        wider.rows = 10;
        for (std::size_t width : {bench.recipe.width - 1, bench.recipe.width + 1}) {
            wider.width = width;
            const Ending ending = ending_of([&] { bench.transform(*bench.fitted, bench.make(wider)); });
            if (!ending.is(WrongWidth::name))
                return std::to_string(width) + " elements instead of " + std::to_string(bench.recipe.width) + " gave " +
                       ending.text() + " instead of WrongWidth";
        }
        return {};
    });
}

}  // namespace partita::inline PARTITA_ABI::detail
