// SPDX-License-Identifier: Apache-2.0
#pragma once

// AddressSanitizer as the fuzz targets run it, where ASAN_OPTIONS does not say otherwise: it looks for the same mistakes,
// but keeps less between the runs. Its fake stack is swept after every exception, and by default has room for the frames
// of a large program; freed memory is held back for some hundred runs; reports name five callers of an allocation.
extern "C" const char* __asan_default_options() {
    return "max_uar_stack_size_log=16:quarantine_size_mb=16:malloc_context_size=5";
}
