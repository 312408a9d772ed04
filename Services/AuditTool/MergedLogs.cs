using System.Diagnostics.CodeAnalysis;
using Platform.Audit;

namespace Platform.AuditTool;

/// <summary>The logs of several writers as one, in the order of time. Of each one line is in memory.</summary>
internal sealed class MergedLogs : IDisposable
{
    private readonly AuditSettings _settings;
    private readonly Dictionary<string, (AuditReader Reader, AuditEntry? Next)> _logs = new(StringComparer.Ordinal);

    /// <summary>The logs of these writers.</summary>
    /// <param name="settings">Where they are.</param>
    /// <param name="writers">Who wrote them.</param>
    /// <param name="latestFiles">With how many of the latest files of each to begin.</param>
    public MergedLogs(AuditSettings settings, IEnumerable<string> writers, int latestFiles = int.MaxValue)
    {
        _settings = settings;
        Add(writers, latestFiles);
    }

    /// <summary>Adds those that are not there yet.</summary>
    public void Add(IEnumerable<string> writers, int latestFiles = int.MaxValue)
    {
        foreach (var writer in writers)
        {
            if (!_logs.ContainsKey(writer))
            {
                _logs.Add(writer, (new AuditReader(_settings, writer, latestFiles), null));
            }
        }
    }

    /// <summary>Reads the earliest line of all that come next; what cannot be read comes at once. Returns false at the end of all.</summary>
    public bool TryRead([NotNullWhen(true)] out AuditEntry? entry)
    {
        entry = null;
        foreach (var (writer, (reader, known)) in _logs.ToArray())
        {
            var next = known;
            if (next is null && reader.TryRead(out next))
            {
                _logs[writer] = (reader, next);
            }

            if (next is not null && (entry is null || next.Record is null || (entry.Record is not null && next.Record.At < entry.Record.At)))
            {
                entry = next;
            }
        }

        if (entry is null)
        {
            return false;
        }

        _logs[entry.Writer] = (_logs[entry.Writer].Reader, null);
        return true;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var (reader, _) in _logs.Values)
        {
            reader.Dispose();
        }
    }
}
