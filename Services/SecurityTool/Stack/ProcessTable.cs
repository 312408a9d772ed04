using System.Globalization;
using System.Text;

namespace Platform.SecurityTool.Stack;

/// <summary>The processes of this machine. <see href="https://man7.org/linux/man-pages/man5/proc.5.html"/></summary>
internal sealed class ProcessTable
{
    private ProcessTable(IReadOnlyList<RunningProcess> all) => All = all;

    /// <summary>Those that the caller may see.</summary>
    public IReadOnlyList<RunningProcess> All { get; }

    /// <summary>Reads the table; a process that ends meanwhile is left out.</summary>
    public static ProcessTable Read()
    {
        var all = new List<RunningProcess>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            {
                continue;
            }

            try
            {
                // pid (name) state parent ...; the name may have parentheses and spaces.
                var stat = File.ReadAllText($"{directory}/stat");
                var end = stat.LastIndexOf(')');
                var arguments = File.ReadAllBytes($"{directory}/cmdline");
                all.Add(new(
                    id, int.Parse(stat[(end + 2)..].Split(' ')[1], CultureInfo.InvariantCulture), stat[(stat.IndexOf('(', StringComparison.Ordinal) + 1)..end],
                    Encoding.UTF8.GetString(arguments).Replace('\0', ' ')));
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // It has ended, or is another user's of whom nothing can be seen.
            }
        }

        return new(all);
    }

    /// <summary>
    /// The processes of a stack: the first, those that it and its descendants have started, and those that have its mark, whoever their parent is now.
    /// </summary>
    /// <param name="first">The first.</param>
    /// <param name="mark">A variable in the environment of all of them; null: none is known.</param>
    public IReadOnlyList<RunningProcess> OfStack(int first, string? mark)
    {
        var children = All.ToLookup(process => process.Parent);
        var found = All.Where(process => process.Id == first || (mark is not null && HasVariable(process.Id, mark))).ToList();
        var known = found.Select(process => process.Id).ToHashSet();
        for (var i = 0; i < found.Count; i++)
        {
            found.AddRange(children[found[i].Id].Where(child => known.Add(child.Id)));
        }

        return found;
    }

    private static bool HasVariable(int process, string variable)
    {
        try
        {
            var variables = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/environ")).Split('\0');
            return variables.Contains(variable, StringComparer.Ordinal);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}

/// <summary>A process.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Parent">Who has started it.</param>
/// <param name="Name">The program's name, of 15 characters at most.</param>
/// <param name="CommandLine">Its arguments, with spaces between.</param>
internal sealed record RunningProcess(int Id, int Parent, string Name, string CommandLine);
