// SPDX-License-Identifier: Apache-2.0
#pragma once

// Model files: a safetensors file whose metadata say which stages the tensors belong to, and prove that nothing changed.
//
//   "__metadata__": {
//     "partita_format":   "1",
//     "partita_checksum": XXH64 of the header behind this text, seeded with that of the file up to this text
//     "partita_manifest": {"provenance": {…}, "fingerprint": "…",
//                          "stages": [{"id": "…", "version": 1, "tensors": {"1.id.mean": XXH64 of its bytes, …}}, …]}
//   }
//
// These three come first, in this order and spelling. Tensors are named by the stage's position, its id and their own name.

#include <partita/persist/model_file/reader.hpp>
#include <partita/persist/model_file/writer.hpp>
