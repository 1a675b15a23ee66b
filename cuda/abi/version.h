// The release. The only place for this number on the native side; a test compares it with deno.json.
#pragma once
#define FFC_VERSION "0.1.0"
