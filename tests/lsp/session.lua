-- What somebody does in Neovim with a file that has findings. What was seen is written as JSON; a step that does not happen is an error.
local seen = {}

local function wait(what, happened)
  assert(vim.wait(60000, happened, 10), "no " .. what .. ": " .. vim.inspect(vim.diagnostic.get(0)))
end

local function text()
  return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), "\n") .. "\n"
end

local function rows()
  local found = {}
  for _, each in ipairs(vim.diagnostic.get(0)) do
    table.insert(found, each.lnum)
  end
  table.sort(found)
  return table.concat(found, " ")
end

-- Choose the first action with this in its title, and wait until it has changed the text.
local function choose(title, options)
  local before = text()
  vim.ui.select = function(items, given, chosen)
    local titles = vim.tbl_map(given.format_item or tostring, items)
    seen[title] = titles
    for number, each in ipairs(titles) do
      if each:find(title, 1, true) then
        return chosen(items[number], number)
      end
    end
    error(title .. " is not offered: " .. vim.inspect(titles))
  end
  vim.lsp.buf.code_action(options)
  wait(title, function() return text() ~= before end)
end

local function session()
  local command = vim.json.decode(vim.env.SERVER)
  if vim.lsp.config then
    assert(load(vim.env.SETUP))() -- as the README says it
    vim.lsp.config("torchlint", { cmd = command })
  end
  vim.cmd("edit " .. vim.fn.fnameescape(vim.env.DOCUMENT))
  if not vim.lsp.config then
    local folder = vim.fs and vim.fs.dirname(vim.env.DOCUMENT) or vim.fn.fnamemodify(vim.env.DOCUMENT, ":h")
    vim.lsp.buf_attach_client(0, assert(vim.lsp.start_client({ name = "torchlint", cmd = command, root_dir = folder })))
  end
  wait("findings", function() return rows() == "2 3" end)
  local first = vim.diagnostic.get(0, { lnum = 2 })[1]
  seen.first = { first.code or first.user_data.lsp.code, first.source, first.col, first.end_col, first.severity == vim.diagnostic.severity.WARN }

  vim.api.nvim_buf_set_lines(0, 0, 0, true, { "# typed", "import torch as t" })
  wait("findings that move with the text", function() return rows() == "4 5" end)

  vim.api.nvim_win_set_cursor(0, { 5, 4 })
  choose("[TL401]")
  seen.quick = text()
  wait("finding less", function() return rows() == "5" end)

  choose("fix all that is safe", { context = { only = { "source.fixAll" }, diagnostics = {} } })
  wait("finding left", function() return rows() == "" end)
  vim.cmd("write")
end

local done, reason = xpcall(session, debug.traceback)
if not done then
  seen.error = reason
end
local file = assert(io.open(vim.env.SEEN, "w"))
file:write(vim.json.encode(seen))
file:close()
vim.cmd(done and "qall!" or "cquit")
