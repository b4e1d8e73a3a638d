-- Requests for wrk: every one with ids, users, times and properties of its own.
-- Arguments: path, key, events a request, prefix of the ids.

local head, events, prefix, serial, now

function init(arguments)
   local path, key = arguments[1], arguments[2]
   events, prefix, serial, now = tonumber(arguments[3]), arguments[4], 0, os.date("!*t")
   head = "POST " .. path .. " HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench\r\nX-API-Key: " .. key ..
      "\r\nContent-Type: application/json\r\nContent-Length: "
end

local EVENT = '{"id":"%s-%d","event_type":"add_to_cart","user_id":"user-%d","session_id":"5c1e9b1f0a%d",' ..
   '"timestamp":"2026-%02d-%02dT14:02:%02d.%03dZ","url":"https://shop.example/product/lamp-%d",' ..
   '"properties":{"product":"lamp-%d","color":"green","plan":"pro","channel":"search","step":"two"}}'

local function event(month, day)
   serial = serial + 1
   return EVENT:format(prefix, serial, serial % 5003, serial % 509, month, day, serial % 60, serial % 1000,
      serial % 211, serial % 97)
end

function request()
   local body
   if events == 1 then
      body = event(now.month, now.day)
   else
      local made = {}
      for number = 1, events do made[number] = event(now.month, now.day) end
      body = '{"events":[' .. table.concat(made, ",") .. "]}"
   end
   return head .. #body .. "\r\n\r\n" .. body
end

function done(summary, latency)
   local errors = summary.errors
   print(("BENCH %d %d %d %d %d %d"):format(summary.requests, summary.duration, latency:percentile(50),
      latency:percentile(90), latency:percentile(99),
      errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
