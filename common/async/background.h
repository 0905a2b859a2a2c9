// SPDX-License-Identifier: MIT
#pragma once

namespace aisfs {

// Work that nobody waits for runs on threads of its own: the background shards of a Runtime and the
// background threads of an IoPool. What it starts stays there: its steps on disks, its requests,
// and what other nodes do for these (http/lower_effort.h). So who is served waits for no more of it
// than the disk has begun.

/// Whether the calling thread is one of them.
bool is_background_thread();

/// From now on it is: nicer by 4 than the process, so that it still gets more than a third of what
/// another thread gets on a busy machine. At 10 a target that left a cluster at full load took 100
/// s for that, at 4 16 s; lost copies are to come back, and it may hold a lock that others wait
/// for.
void become_background_thread();

/// The calling thread serves: a short turn of the processor (100 us) at once beats a long one
/// later. Linux before 6.12 knows no such wish.
void become_prompt_thread();

}  // namespace aisfs
