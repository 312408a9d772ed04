using System.Globalization;

namespace Platform.Audit;

/// <summary>
/// Compares a log with what was signed: it finds lines that were changed, removed, added, moved or repeated, files that are missing, and an end that was cut
/// off. It reads line by line, while the log is written or not.
/// </summary>
public sealed class AuditVerifier
{
    /// <summary>How many findings, and notes, of a log are told; more are counted.</summary>
    public const int MostFindings = 100;

    private const int Attempts = 5;

    private readonly string _writer;
    private readonly string _log;
    private readonly byte[] _key;
    private readonly AuditHead? _head;
    private readonly List<AuditFinding> _findings = [];
    private readonly List<string> _notes = [];
    private long _findingCount;
    private long _lines;
    private long _first;
    private string? _beforeFirst;
    private AuditLine? _last;
    private (string File, int Line)? _firstAt;
    private (string File, int Line)? _lastAt;
    private int _strangers;
    private AuditHead? _removed;

    private AuditVerifier(string writer, string log, byte[] key, AuditHead? head) => (_writer, _log, _key, _head) = (writer, log, key, head);

    /// <summary>Who has written logs in a directory, or is known to have.</summary>
    /// <param name="settings">The directories.</param>
    public static IReadOnlyList<string> Writers(AuditSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var known = AuditState.Writers(settings.KeyDirectory!);
        return [.. AuditFiles.Writers(settings.Directory!).Union(known, StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    /// <summary>Verifies a log.</summary>
    /// <param name="settings">The directories.</param>
    /// <param name="writer">Who wrote it.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="AuditUnavailableException">Its key cannot be used.</exception>
    public static AuditVerification Verify(AuditSettings settings, string writer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var log = Path.Combine(settings.Directory!, writer);
        for (var attempt = 1; ; attempt++)
        {
            using var state = new AuditState(settings.KeyDirectory!, writer);
            if (state.ReadKey() is not { } key)
            {
                var missing = $"The key {state.KeyFile} is missing, without which nobody can say whether the log is as it was written.";
                return new AuditVerification(writer, AuditFiles.Of(log).Count, 0, 0, 0, [], [new(null, 0, AuditFindingKind.NoKey, missing)], 1);
            }

            try
            {
                // First how far it is said to be: meanwhile it grows.
                return new AuditVerifier(writer, log, key, state.ReadHead(key)).Verify(state, cancellationToken);
            }
            catch (FileNotFoundException) when (attempt < Attempts)
            {
                // Its time was over: the files are others now.
            }
        }
    }

    private AuditVerification Verify(AuditState state, CancellationToken cancellationToken)
    {
        var files = AuditFiles.Of(_log);
        for (var i = 0; i < files.Count; i++)
        {
            using var reader = new AuditLineReader(files[i]);
            var file = Path.GetFileName(files[i]);
            while (reader.TryRead(out var line))
            {
                cancellationToken.ThrowIfCancellationRequested();
                _lines++;
                Judge(line, file, reader.Number);
            }

            if (reader.Rest > 0 && i < files.Count - 1)
            {
                Find(file, reader.Number + 1, AuditFindingKind.Changed, "has no end, but another file follows");
            }
            else if (reader.Rest > 0)
            {
                Note($"{file}:{Number(reader.Number + 1)} has no end yet: it is being written, or was torn, which the next start of the writer repairs.");
            }
        }

        JudgeEnds(state, files);
        return new AuditVerification(_writer, files.Count, _lines, _first, _last?.Number ?? 0, _notes, _findings, _findingCount);
    }

    private void Judge(ReadOnlySpan<byte> bytes, string file, int number)
    {
        if (AuditLine.TryRead(bytes, _key) is not { } line)
        {
            _strangers++;
            _firstAt ??= (file, number);
            _lastAt = (file, number);
            Find(file, number, AuditFindingKind.Changed, "was changed, or not written by this log");
            return;
        }

        _firstAt ??= (file, number);
        if (_last is null)
        {
            // Lines before it that were changed had the numbers before its own.
            _first = Math.Max(1, line.Number - _strangers);
            _beforeFirst = _strangers == 0 ? line.Previous : null;
        }
        else if (line.Number <= _last.Number)
        {
            Find(file, number, AuditFindingKind.Misplaced, $"is line {Number(line.Number)} of the log, which belongs before line {Number(_last.Number)}");
            return;
        }
        else if (line.Number - _last.Number - 1 - _strangers is > 0 and var missing)
        {
            var from = _last.Number + 1 + _strangers;
            var which = missing == 1 ? $"line {Number(from)} of the log, which is" : $"lines {Number(from)} to {Number(line.Number - 1)} of the log, which are";
            Find(file, number, AuditFindingKind.Missing, $"follows {which} missing");
        }
        else if (line.Number == _last.Number + 1 && line.Previous != _last.Hash)
        {
            Find(file, number, AuditFindingKind.Missing, $"does not follow the line {Number(_last.Number)} that is there, but another one that was");
        }

        if (_head is { } head && line.Number == head.Number && line.Hash != head.Hash)
        {
            Find(file, number, AuditFindingKind.Cut, $"is another line {Number(line.Number)} than the one that was written last");
        }

        _strangers = 0;
        _last = line;
        _lastAt = (file, number);
        Remember(bytes, file, number);
    }

    // What the log says of itself.
    private void Remember(ReadOnlySpan<byte> bytes, string file, int number)
    {
        if (!bytes.StartsWith("{\"atype\":\"audit"u8) || AuditRecord.TryParse(bytes) is not { } record)
        {
            return;
        }

        string? Text(string name) => record.Param.TryGetProperty(name, out var value) ? value.ToString() : null;
        long Count(string name) => record.Param.TryGetProperty(name, out var value) && value.TryGetInt64(out var count) ? count : 0;
        switch (record.Type)
        {
            case AuditTypes.Expired:
                _removed = new AuditHead(Count("upTo"), Text("hash") ?? "");
                break;
            case AuditTypes.Recovered:
                var counts = $"{Number(Count("late"))} events came late, {Number(Count("lost"))} are lost";
                Note($"{file}:{Number(number)}: the log could not be written ({Text("reason")}): {counts}.");
                break;
            case AuditTypes.Repair when Text("problem") is "torn" or "notRemoved":
                var what = Text("problem") == "torn" ? $"{Text("line")} was torn and removed" : $"{Text("file")} could not be removed";
                Note($"{file}:{Number(number)}: {what}.");
                break;
            case AuditTypes.Repair:
                Find(file, number, AuditFindingKind.Changed, $"says that the log was not as it had been left when its writer started ({Text("problem")})");
                break;
        }
    }

    private void JudgeEnds(AuditState state, IReadOnlyList<string> files)
    {
        var removed = _removed?.Number ?? 0;
        if (_first > 1 && !(removed >= _first || (removed == _first - 1 && (_beforeFirst ?? _removed!.Hash) == _removed!.Hash)))
        {
            var (file, line) = _firstAt!.Value;
            Find(
                file, line, AuditFindingKind.Missing,
                $"is line {Number(_first)} of the log, and nothing says that those before it were removed because their time was over");
        }

        if (_head is null)
        {
            Find(
                files.Count == 0 ? null : Path.GetFileName(files[^1]), 0, AuditFindingKind.NoHead,
                $"may have been cut off at its end: {state.HeadFile} is missing or was changed");
        }
        else if (_head.Number > (_last?.Number ?? 0) + _strangers)
        {
            Find(
                _lastAt?.File, _lastAt?.Line ?? 0, AuditFindingKind.Cut,
                _last is null
                    ? $"has no line left of {Number(_head.Number)} that were written"
                    : $"is the last line that is left, line {Number(_last.Number)} of the log, but {Number(_head.Number)} were written");
        }
    }

    private void Find(string? file, int line, AuditFindingKind kind, string what)
    {
        _findingCount++;
        if (_findings.Count < MostFindings)
        {
            var place = file is null ? "The log" : line == 0 ? file : $"{file}:{Number(line)}";
            _findings.Add(new AuditFinding(file, line, kind, $"{place} {what}."));
        }
    }

    private void Note(string sentence)
    {
        if (_notes.Count < MostFindings)
        {
            _notes.Add(sentence);
        }
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
