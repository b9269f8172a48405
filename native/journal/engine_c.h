// The seam between addons: a log engine as plain C, so that no C++ type, exception or allocation crosses from one shared
// object into another. engine_export.h makes this table of a journal::Log, engine_import.h makes a journal::Log of it.
//
// Each function answers what the method of the same name in journal/log.h and journal/group.h answers, under the same
// rules about threads and about how long a view is valid. A status is a journal::Status. Texts are pointer and length, no
// terminating zero. What an object gives by pointer belongs to it and stands until the next call on that object.
#ifndef TW_JOURNAL_ENGINE_C_H_
#define TW_JOURNAL_ENGINE_C_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Raised whenever something below changes its meaning; functions are added at the end, which `size` tells.
#define TW_ENGINE_VERSION 1u

typedef struct tw_reader tw_reader;
typedef struct tw_appender tw_appender;
typedef struct tw_waiter tw_waiter;
typedef struct tw_group tw_group;

typedef struct tw_text {
  const char* data;
  size_t size;
} tw_text;

typedef struct tw_bytes {
  const uint8_t* data;
  size_t size;
} tw_bytes;

// The caller's memory for a text. `size` is set to what was written, at most `capacity`: longer texts are cut.
typedef struct tw_buffer {
  char* data;
  size_t capacity;
  size_t size;
} tw_buffer;

typedef struct tw_topic {
  tw_text name;
  uint64_t segment_bytes;
  int64_t retention_ms;
  int64_t retention_bytes;
  uint32_t partitions;
  uint32_t compact;
} tw_topic;

// A message as it is read.
typedef struct tw_message {
  uint64_t offset;
  uint32_t count;
  uint32_t kind;
  tw_text key;
  tw_bytes value;
  uint64_t ts_recv;
  uint64_t ts_recv_max;
} tw_message;

// A message to append.
typedef struct tw_append {
  uint32_t kind;
  uint32_t count;
  tw_text key;
  tw_bytes value;
  uint64_t ts_recv;
  uint64_t ts_recv_max;
  uint64_t position_max;
} tw_append;

typedef struct tw_skip {
  uint64_t from_offset;
  uint64_t to_offset;
  tw_text file;
  uint64_t file_position;
} tw_skip;

typedef struct tw_partition {
  uint64_t begin_offset;
  uint64_t end_offset;
  uint64_t bytes;
  uint64_t ts_recv_newest;
  uint32_t segments;
} tw_partition;

typedef struct tw_group_topic {
  tw_text name;
  uint32_t partitions;
} tw_group_topic;

typedef struct tw_group_options {
  tw_text group;
  const tw_group_topic* topics;
  size_t topic_count;
  uint32_t durable;
  uint32_t hung_ms;
  uint64_t (*now_ns)(void* now_context);  // Null: CLOCK_MONOTONIC. Stays callable until the group is closed.
  void* now_context;
} tw_group_options;

typedef struct tw_assignment {
  uint32_t topic;
  uint32_t partition;
  uint64_t generation;
} tw_assignment;

typedef struct tw_changes {
  const tw_assignment* assigned;
  size_t assigned_count;
  const tw_assignment* revoked;
  size_t revoked_count;
  const tw_assignment* lost;
  size_t lost_count;
  uint32_t evicted;
} tw_changes;

typedef struct tw_member {
  uint32_t pid;
  uint32_t partitions;
  uint64_t heartbeat_age_ms;
} tw_member;

// Called once per item, during the call it was given to; must not throw.
typedef void (*tw_on_topic)(void* context, const tw_topic* topic);
typedef void (*tw_on_member)(void* context, const tw_member* member);

typedef struct tw_engine {
  uint32_t size;  // sizeof(tw_engine) of who made the table.
  uint32_t version;

  // The log. Every object opened from it keeps it alive by itself.
  void* log;
  void (*retain)(void* log);
  void (*release)(void* log);

  tw_text (*id)(void* log);         // Stands as long as the log.
  tw_text (*directory)(void* log);  // The same.
  void (*topic_id)(void* log, tw_text topic, tw_buffer* out);
  uint8_t (*ensure_topic)(void* log, const tw_topic* topic, tw_buffer* error);
  int (*find_topic)(void* log, tw_text name, tw_topic* out);  // `out->name` is left alone.
  void (*list_topics)(void* log, tw_on_topic on_topic, void* context);
  uint8_t (*describe)(void* log, tw_text topic, uint32_t partition, tw_partition* out);
  int (*committed)(void* log, tw_text group, tw_text topic, uint32_t partition, uint64_t* out);  // 0: nothing.

  // Each gives null when it cannot; *status or *error says why.
  tw_appender* (*open_appender)(void* log, tw_text topic, uint32_t partition, uint8_t* status);
  tw_reader* (*open_reader)(void* log, tw_text topic, uint32_t partition, uint8_t* status);
  tw_waiter* (*open_waiter)(void* log);
  tw_group* (*join_group)(void* log, const tw_group_options* options, tw_buffer* error);

  uint8_t (*appender_append)(tw_appender* appender, const tw_append* messages, size_t count, uint64_t* offset);
  uint8_t (*appender_sync)(tw_appender* appender);
  void (*appender_close)(tw_appender* appender);

  uint8_t (*reader_next)(tw_reader* reader, tw_message* out);
  void (*reader_skip)(tw_reader* reader, tw_skip* out);
  uint64_t (*reader_position)(tw_reader* reader);
  uint8_t (*reader_seek_offset)(tw_reader* reader, uint64_t offset);
  uint8_t (*reader_seek_time)(tw_reader* reader, uint64_t ts_recv);
  uint8_t (*reader_seek_position)(tw_reader* reader, uint64_t position);
  uint64_t (*reader_begin_offset)(tw_reader* reader);
  uint64_t (*reader_end_offset)(tw_reader* reader);
  void (*reader_close)(tw_reader* reader);

  uint32_t (*waiter_ticket)(tw_waiter* waiter);
  int (*waiter_wait)(tw_waiter* waiter, uint32_t ticket, uint32_t timeout_ms);  // 0: timed out.
  void (*waiter_interrupt)(tw_waiter* waiter);
  void (*waiter_close)(tw_waiter* waiter);

  void (*group_tick)(tw_group* group, tw_changes* out);  // The arrays stand until the next tick.
  void (*group_release)(tw_group* group, const tw_assignment* assignment);
  void (*group_leave)(tw_group* group);
  int (*group_grow)(tw_group* group, uint32_t topic, uint32_t partitions);
  uint8_t (*group_commit)(tw_group* group, const tw_assignment* assignment, uint64_t offset);
  uint8_t (*group_check)(tw_group* group, const tw_assignment* assignment);
  int (*group_committed)(tw_group* group, uint32_t topic, uint32_t partition, uint64_t* out);
  uint64_t (*group_generation)(tw_group* group);
  void (*group_members)(tw_group* group, tw_on_member on_member, void* context);
  void (*group_close)(tw_group* group);
} tw_engine;

#ifdef __cplusplus
}
#endif

#endif
