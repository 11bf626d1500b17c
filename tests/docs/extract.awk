# SPDX-License-Identifier: Apache-2.0
# Takes the snippets out of a page of Markdown. For each marked block it writes FOLDER/LINE.code, for the text block that
# belongs to it FOLDER/LINE.text, and a line "LINE KIND ARGUMENTS…" to FOLDER/plan, LINE being that of the fence.
#   usage: awk -v folder=FOLDER -f extract.awk PAGE.md         fails where a C++ block has no marker
/^[ \t]*<!-- snippet: .* -->[ \t]*$/ && !inside {
    marker = $0
    sub(/^[ \t]*<!-- snippet: /, "", marker)
    sub(/ -->[ \t]*$/, "", marker)
    marker_line = FNR
    next
}
/^[ \t]*```/ {
    if (inside) {
        if (output != "") close(output)
        inside = 0
        next
    }
    inside = 1
    output = ""
    language = $0
    sub(/^[ \t]*```/, "", language)
    if (language == "text") {                    # belongs to the snippet before it, if that has none yet
        if (snippet != "") output = folder "/" snippet ".text"
        snippet = ""
    } else if (marker != "") {
        snippet = FNR
        output = folder "/" snippet ".code"
        print snippet, marker >(folder "/plan")
        marker = ""
    } else if (language == "cpp") {
        print FILENAME ":" FNR ": a C++ block without a <!-- snippet: … --> before it" >"/dev/stderr"
        failed = 1
    }
    if (output != "") printf "" >output
    next
}
inside && output != "" { print >output }
!inside && NF > 0 && marker != "" {
    print FILENAME ":" marker_line ": no block follows this marker" >"/dev/stderr"
    failed = 1
    marker = ""
}
END {
    if (inside) { print FILENAME ": the last block is not closed" >"/dev/stderr"; failed = 1 }
    exit failed
}
