using System.Diagnostics.CodeAnalysis;

namespace Platform.Audit;

/// <summary>A line of a log and where it stands.</summary>
/// <param name="Writer">Who wrote it.</param>
/// <param name="File">The file, without its directory.</param>
/// <param name="Line">Its line in the file, from 1.</param>
/// <param name="Record">What it says; null when it is no audit message.</param>
public sealed record AuditEntry(string Writer, string File, int Line, AuditRecord? Record);

/// <summary>Reads a log from its beginning, or its latest files, to its end, and goes on when it has grown.</summary>
/// <param name="settings">The directories.</param>
/// <param name="writer">Who writes the log.</param>
/// <param name="latestFiles">With how many of the latest files to begin; all without it.</param>
public sealed class AuditReader(AuditSettings settings, string writer, int latestFiles = int.MaxValue) : IDisposable
{
    private readonly string _log = Path.Combine(settings.Directory!, writer);
    private AuditLineReader? _file;
    private string? _current;
    private long _after = -1;
    private bool _hasBegun;

    /// <summary>Reads a line. Returns false at the end, which may have moved when it is asked again.</summary>
    /// <param name="entry">The line.</param>
    public bool TryRead([NotNullWhen(true)] out AuditEntry? entry)
    {
        while (true)
        {
            if (_file is null && !TryOpenNext())
            {
                entry = null;
                return false;
            }

            if (TryReadLine(out entry))
            {
                return true;
            }

            // A file has ended when there is another one: what was written to it meanwhile is read before.
            if (!AuditFiles.Of(_log).Any(file => AuditFiles.FirstLineOf(file) > _after))
            {
                return false;
            }

            if (TryReadLine(out entry))
            {
                return true;
            }

            _file!.Dispose();
            _file = null;
        }
    }

    /// <inheritdoc />
    public void Dispose() => _file?.Dispose();

    private bool TryReadLine([NotNullWhen(true)] out AuditEntry? entry)
    {
        entry = _file!.TryRead(out var line) ? new AuditEntry(writer, _current!, _file.Number, AuditRecord.TryParse(line)) : null;
        return entry is not null;
    }

    private bool TryOpenNext()
    {
        var files = AuditFiles.Of(_log);
        foreach (var file in files.Skip(_hasBegun ? 0 : Math.Max(0, files.Count - latestFiles)).Where(file => AuditFiles.FirstLineOf(file) > _after))
        {
            _hasBegun = true;
            _after = AuditFiles.FirstLineOf(file)!.Value;
            try
            {
                _file = new AuditLineReader(file);
                _current = Path.GetFileName(file);
                return true;
            }
            catch (FileNotFoundException)
            {
                // Its time was over; the next one is there.
            }
        }

        return false;
    }
}
