-- A recipe may bring /etc/passwd and /etc/group; rpm then puts the package's own beside them, as FILE.rpmnew. The
-- accounts that the recipe's files lack are added to them, because files of other packages belong to them. An id that
-- is taken is replaced by a free one below 1000, as systemd-sysusers does.
local function rows(path)
  local found, file = {}, io.open(path)
  if file then
    for line in file:lines() do
      local row = {}
      for field in (line .. ":"):gmatch("([^:]*):") do row[#row + 1] = field end
      if row[1] and row[1] ~= "" then found[#found + 1] = row end
    end
    file:close()
  end
  return found
end

local function add(path, lines)
  local file = assert(io.open(path, "a"))
  for _, line in ipairs(lines) do file:write(line, "\n") end
  file:close()
end

-- Adds the accounts that are missing; returns the id that each id of the package's file has become.
local function merge(path, change)
  local ids, taken, became, lines = {}, {}, {}, {}
  for _, row in ipairs(rows(path)) do
    ids[row[1]] = row[3]
    taken[row[3]] = true
  end
  for _, row in ipairs(rows(path .. ".rpmnew")) do
    local own = row[3]
    if not ids[row[1]] then
      local free = 999
      while taken[row[3]] do
        row[3], free = tostring(free), free - 1
      end
      taken[row[3]] = true
      ids[row[1]] = row[3]
      if change then change(row) end
      lines[#lines + 1] = table.concat(row, ":")
    end
    became[own] = ids[row[1]]
  end
  add(path, lines)
  os.remove(path .. ".rpmnew")
  return became
end

local function exists(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

local groups = {}
if exists("/etc/group.rpmnew") then groups = merge("/etc/group") end
if exists("/etc/passwd.rpmnew") then
  merge("/etc/passwd", function(row) row[4] = groups[row[4]] or row[4] end)
end
for _, path in ipairs({"/etc/shadow", "/etc/gshadow"}) do
  if exists(path .. ".rpmnew") then
    local known, lines = {}, {}
    for _, row in ipairs(rows(path)) do known[row[1]] = true end
    for _, row in ipairs(rows(path .. ".rpmnew")) do
      if not known[row[1]] then lines[#lines + 1] = table.concat(row, ":") end
    end
    add(path, lines)
    os.remove(path .. ".rpmnew")
  end
end
