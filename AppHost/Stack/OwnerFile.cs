namespace Platform.AppHost.Stack;

/// <summary>Files that nobody but their owner may read: what stands in them opens servers.</summary>
internal static class OwnerFile
{
    /// <summary>Writes lines, and renames the file into place, so that a reader never sees half of it. Its directory must exist.</summary>
    public static async Task WriteAsync(string file, IEnumerable<string> lines)
    {
        var draft = $"{file}.{Environment.ProcessId}";
        await using (var writer = new StreamWriter(draft, OwnerOnly.Options(FileMode.Create)))
        {
            await writer.WriteAsync(string.Join('\n', lines) + '\n');
        }

        File.Move(draft, file, overwrite: true);
    }

    /// <summary>Writes a text as <see cref="WriteAsync"/> does, and to the disk: what is in its place is whole also after the power was cut.</summary>
    public static void Write(string file, string text) => OwnerOnly.Write(file, text, draft: $"{Environment.ProcessId}");

    /// <summary>Writes a text as <see cref="Write"/> does, unless the file has it already.</summary>
    public static void WriteIfOther(string file, string text)
    {
        if (!File.Exists(file) || File.ReadAllText(file) != text)
        {
            Write(file, text);
        }
    }

    /// <summary>A line <c>KEY=VALUE</c>: whatever a value holds, it stays on its line.</summary>
    public static string Line(string key, string? value)
        => $"{key}={string.Concat((value ?? "").Select(unit => char.IsControl(unit) ? ' ' : unit))}";
}
