/**
 * What runs in Redis, each script in one go. Their keys are those of {@link jobKeys}, in its order; a job's own key is put
 * together from its id. Each is harmless when it runs twice, as it does where an answer is lost on the way.
 */

/** The keys of one line of jobs; all lie on one node of a Redis Cluster. */
export function jobKeys(prefix: string): [waiting: string, ...string[]] {
  const names = ['leases', 'ended', 'hooks', 'sizes', 'total'];
  return [`${prefix}:waiting`, ...names.map((name) => `${prefix}:${name}`)];
}

/** What stands before an id in the key of its job. */
export function jobPrefix(prefix: string): string {
  return `${prefix}:job:`;
}

/** The channel that says when something may be to do; the message is the id of a job that has ended, or nothing. */
export function jobChannel(prefix: string): string {
  return `${prefix}:news`;
}

/** Names for the keys, and the time of Redis, which all its clients share. ARGV[1] stands before ids, ARGV[2] is the channel. */
const BEGIN = `
local line, leases, ended, hooks, sizes, total = unpack(KEYS)
local function key(id) return ARGV[1] .. id end
local function keptOnce(name) return string.gsub(ARGV[1], 'job:$', 'once:') .. name end
local function news(text) redis.call('PUBLISH', ARGV[2], text) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function resize(id, bytes)
  local before = tonumber(redis.call('HGET', sizes, id) or 0)
  if bytes == 0 then redis.call('HDEL', sizes, id) else redis.call('HSET', sizes, id, bytes) end
  redis.call('INCRBY', total, bytes - before)
end
local function forget(id)
  local name = redis.call('HGET', key(id), 'once')
  if name and name ~= '' and redis.call('GET', keptOnce(name)) == id then redis.call('DEL', keptOnce(name)) end
  redis.call('ZREM', line, id) redis.call('ZREM', leases, id)
  redis.call('ZREM', ended, id) redis.call('ZREM', hooks, id)
  resize(id, 0)
  redis.call('DEL', key(id))
end
local function orphans()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, 100)) do
    redis.call('ZREM', leases, id)
    if redis.call('EXISTS', key(id)) == 1 then redis.call('ZADD', line, 0, id) else forget(id) end
  end
end
`;

/**
 * id, jobs, outcomes and bytes that may be, bytes of it, image, message, webhook, owner, key of what is kept once, digest of it,
 * and when it is too late, "" = never -> "late", "full", "other", the id of what is kept already, or the place in line from 0.
 */
export const ADD = `${BEGIN}
local id, bytes, name = ARGV[3], tonumber(ARGV[7]), ARGV[12]
local there = name ~= '' and redis.call('GET', keptOnce(name))
if there and there ~= id and redis.call('EXISTS', key(there)) == 1 then
  if redis.call('HGET', key(there), 'digest') ~= ARGV[13] then return { line, 'other' } end
  return { line, there }
end
if redis.call('EXISTS', key(id)) == 0 then
  -- It waited on its way, and whoever brought it was told that it is not kept.
  if now > (tonumber(ARGV[14]) or now) then return { line, 'late' } end
  local jobs = redis.call('ZCARD', line) + redis.call('ZCARD', leases)
  if jobs >= tonumber(ARGV[4]) or redis.call('ZCARD', ended) >= tonumber(ARGV[5])
    or tonumber(redis.call('GET', total) or 0) + bytes > tonumber(ARGV[6]) then
    return { line, 'full' }
  end
  redis.call('HSET', key(id), 'image', ARGV[8], 'message', ARGV[9], 'webhook', ARGV[10], 'attempts', 0,
    'owner', ARGV[11], 'once', name, 'digest', ARGV[13])
  if name ~= '' then redis.call('SET', keptOnce(name), id) end
  -- Ids sort by when they were made: with one score for all, so does the line.
  redis.call('ZADD', line, 0, id)
  resize(id, bytes)
  news('')
end
return { line, redis.call('ZRANK', line, id) or 0 }`;

/** token, milliseconds of the lease -> nothing, or id, attempts, image, message and crashes of the next job. */
export const CLAIM = `${BEGIN}
orphans()
while true do
  local id = redis.call('ZRANGE', line, 0, 0)[1]
  if not id then return { line } end
  redis.call('ZREM', line, id)
  if redis.call('HEXISTS', key(id), 'image') == 1 then
    redis.call('ZADD', leases, now + ARGV[4], id)
    redis.call('HSET', key(id), 'token', ARGV[3], 'started', now)
    local attempts = redis.call('HINCRBY', key(id), 'attempts', 1)
    local job = redis.call('HMGET', key(id), 'image', 'message', 'crashes')
    return { line, id, attempts, job[1], job[2], job[3] }
  end
  forget(id)
end`;

/** id, token, milliseconds of the lease -> 1 where the job is still that claim's. */
export const RENEW = `${BEGIN}
local id = ARGV[3]
if redis.call('HGET', key(id), 'token') ~= ARGV[4] or not redis.call('ZSCORE', leases, id) then return { line, 0 } end
redis.call('ZADD', leases, now + ARGV[5], id)
return { line, 1 }`;

/** id, token, 1 where the try counts -> nothing. */
export const RELEASE = `${BEGIN}
local id = ARGV[3]
if redis.call('HGET', key(id), 'token') == ARGV[4] then
  redis.call('HDEL', key(id), 'token')
  redis.call('ZREM', leases, id)
  redis.call('ZADD', line, 0, id)
  if ARGV[5] == '1' then redis.call('HINCRBY', key(id), 'crashes', 1)
  else redis.call('HINCRBY', key(id), 'attempts', -1) end
  news('')
end
return { line }`;

/** id, who writes it, milliseconds that it is kept, outcome, body -> 1 where it is the job's outcome. */
export const END = `${BEGIN}
local id = ARGV[3]
local job = redis.call('HMGET', key(id), 'by', 'webhook', 'once')
if not job[2] then return { line, 0 } end
if job[1] then return { line, job[1] == ARGV[4] and 1 or 0 } end
local expires = now + ARGV[5]
redis.call('HDEL', key(id), 'image', 'message', 'token')
redis.call('HSET', key(id), 'by', ARGV[4], 'ended', now, 'expires', expires, 'outcome', ARGV[6], 'body', ARGV[7])
redis.call('ZREM', line, id) redis.call('ZREM', leases, id)
redis.call('ZADD', ended, expires, id)
resize(id, #ARGV[7])
if job[2] ~= '' then redis.call('ZADD', hooks, now, id) end
redis.call('PEXPIREAT', key(id), expires)
if job[3] and job[3] ~= '' and redis.call('GET', keptOnce(job[3])) == id then
  redis.call('PEXPIREAT', keptOnce(job[3]), expires)
end
news(id)
return { line, 1 }`;

/** id -> nothing, or attempts, started, webhook, ended, expires, outcome, owner, bytes of the body, whether it runs, place from 0. */
export const LOOK = `${BEGIN}
local id = ARGV[3]
local job = redis.call('HMGET', key(id), 'attempts', 'started', 'webhook', 'ended', 'expires', 'outcome', 'owner')
if not job[3] then return { line } end
local runs = redis.call('ZSCORE', leases, id) and 1 or 0
return { line, job[1], job[2], job[3], job[4], job[5], job[6], job[7],
  redis.call('HSTRLEN', key(id), 'body'), runs, redis.call('ZRANK', line, id) }`;

/** id -> outcome and body. */
export const RESULT = `${BEGIN}
local job = redis.call('HMGET', key(ARGV[3]), 'outcome', 'body')
return { line, job[1], job[2] }`;

/** id -> nothing; only what has ended is forgotten. */
export const FORGET = `${BEGIN}
if redis.call('HEXISTS', key(ARGV[3]), 'by') == 1 then forget(ARGV[3]) end
return { line }`;

/** milliseconds -> nothing, or the id of a webhook that is due, which is the caller's for so long, and its calls with this one. */
export const HOOK = `${BEGIN}
while true do
  local id = redis.call('ZRANGEBYSCORE', hooks, '-inf', now, 'LIMIT', 0, 1)[1]
  if not id then return { line } end
  if redis.call('HEXISTS', key(id), 'by') == 1 then
    redis.call('ZADD', hooks, now + ARGV[3], id)
    return { line, id, redis.call('HINCRBY', key(id), 'calls', 1) }
  end
  redis.call('ZREM', hooks, id)
end`;

/** id, milliseconds until it is due again, or "" where it is over, 1 where the call counts -> nothing. */
export const HOOKED = `${BEGIN}
local id = ARGV[3]
if ARGV[4] == '' then redis.call('ZREM', hooks, id)
elseif redis.call('ZSCORE', hooks, id) then
  redis.call('ZADD', hooks, now + ARGV[4], id)
  if ARGV[5] ~= '1' then redis.call('HINCRBY', key(id), 'calls', -1) end
end
return { line }`;

/** -> how many wait, run, have ended, and bytes; then the first ones in line. */
export const SWEEP = `${BEGIN}
orphans()
for _, id in ipairs(redis.call('ZRANGEBYSCORE', ended, '-inf', now, 'LIMIT', 0, 500)) do forget(id) end
return { line, redis.call('ZCARD', line), redis.call('ZCARD', leases), redis.call('ZCARD', ended),
  tonumber(redis.call('GET', total) or 0), unpack(redis.call('ZRANGE', line, 0, 99)) }`;
