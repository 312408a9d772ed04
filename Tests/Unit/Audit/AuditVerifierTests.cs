using System.Text;
using Platform.Audit;
using Xunit;

namespace Platform.Tests.Unit.Audit;

/// <summary>Whatever is done to a log, the verification says where.</summary>
public sealed class AuditVerifierTests
{
    private const int Logs = 60;
    private const int MutationsOfEach = 50;

    private delegate (string? File, int Line) Mutation(AuditLogs log, Random random);

    private static readonly Dictionary<string, Mutation> s_mutations = new(StringComparer.Ordinal)
    {
        ["changed byte"] = ChangeByte,
        ["removed line"] = RemoveLine,
        ["swapped lines"] = SwapLines,
        ["removed file"] = RemoveFile,
        ["truncated end"] = TruncateEnd,
        ["forged line"] = AppendForgedLine,
        ["inserted line"] = InsertLine,
        ["repeated line"] = RepeatLine,
        ["line of another log"] = InsertLineOfAnotherLog,
    };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Mutations => [.. s_mutations.Keys];

    [Theory]
    [MemberData(nameof(Mutations))]
    public async Task A_mutation_of_a_log_is_found_at_its_line(string kind)
    {
        var seed = 20261130 + kind.Length;
        var cases = 0;
        for (var i = 0; i < Logs / 6; i++)
        {
            using var log = new AuditLogs();
            await log.FillAsync(new Random(seed + i));
            var clean = log.Verify();
            Assert.Empty(clean.Findings);
            for (var j = 0; j < MutationsOfEach; j++)
            {
                var random = new Random(HashCode.Combine(seed, i, j));
                using var copy = log.Copy();
                var place = s_mutations[kind](copy, random);
                var found = copy.Verify();
                Assert.True(
                    found.Findings.Any(finding => finding.File == place.File && finding.Line == place.Line),
                    $"{kind}, seed {seed}, log {i}, mutation {j}: nothing at {place.File}:{place.Line}, but "
                        + $"[{string.Join("; ", found.Findings.Select(finding => finding.Sentence))}]");
                Assert.Equal(found.Findings.Count, found.FindingCount);
                cases++;
            }
        }

        Assert.Equal(Logs / 6 * MutationsOfEach, cases);
    }

    [Fact]
    public async Task A_log_that_nobody_touched_is_as_written_whatever_its_life_was()
    {
        for (var seed = 0; seed < Logs; seed++)
        {
            using var log = new AuditLogs();
            var random = new Random(seed);
            // So that files are removed by count and by age, too.
            (log.Settings.KeepFiles, log.Settings.KeepDays) = (random.Next(2, 6), random.Next(1, 8));
            await log.FillAsync(random);
            var verification = log.Verify();
            Assert.True(verification.FindingCount == 0, $"seed {seed}: {string.Join("; ", verification.Findings.Select(finding => finding.Sentence))}");
            Assert.True(verification.Lines > 0 && verification.Last - verification.First + 1 == verification.Lines);
        }
    }

    [Fact]
    public async Task A_log_that_was_removed_as_a_whole_is_missed()
    {
        using var log = new AuditLogs();
        await log.FillAsync(new Random(1));
        Directory.Delete(log.Log, recursive: true);
        Assert.Contains(AuditLogs.Writer, AuditVerifier.Writers(log.Settings));
        Assert.Equal(AuditFindingKind.Cut, Assert.Single(log.Verify().Findings).Kind);
    }

    [Fact]
    public async Task Without_its_head_or_its_key_nobody_can_say_that_a_log_is_whole()
    {
        using var log = new AuditLogs();
        await log.FillAsync(new Random(2));
        var head = Path.Combine(log.Settings.KeyDirectory!, AuditLogs.Writer + ".head");
        var text = await File.ReadAllTextAsync(head, Cancel);
        await File.WriteAllTextAsync(head, text.Replace(text[..20], "00000000000000000001", StringComparison.Ordinal), Cancel);
        Assert.Equal(AuditFindingKind.NoHead, Assert.Single(log.Verify().Findings).Kind);
        File.Delete(head);
        Assert.Equal(AuditFindingKind.NoHead, Assert.Single(log.Verify().Findings).Kind);
        File.Delete(Path.Combine(log.Settings.KeyDirectory!, AuditLogs.Writer + ".key"));
        Assert.Equal(AuditFindingKind.NoKey, Assert.Single(log.Verify().Findings).Kind);
    }

    [Fact]
    public async Task A_log_that_was_signed_anew_with_another_key_is_found()
    {
        using var log = new AuditLogs();
        await log.FillAsync(new Random(3));
        using var other = new AuditLogs();
        await other.FillAsync(new Random(3));
        foreach (var file in other.Files)
        {
            File.Copy(file, Path.Combine(log.Log, Path.GetFileName(file)), overwrite: true);
        }

        Assert.Contains(log.Verify().Findings, finding => finding is { Line: 1, Kind: AuditFindingKind.Changed });
    }

    [Fact]
    public async Task Files_that_were_removed_before_their_time_are_found_although_others_were_removed_rightly()
    {
        using var log = new AuditLogs();
        (log.Settings.KeepFiles, log.Settings.KeepDays) = (4, 1_000);
        await using (var writer = await log.OpenAsync())
        {
            for (var day = 0; day < 10; day++)
            {
                await writer.WriteAsync(log.Event(), toDisk: true);
                log.Time.Advance(TimeSpan.FromDays(1));
            }
        }

        Assert.Equal(4, log.Files.Length);
        var verification = log.Verify();
        Assert.Empty(verification.Findings);
        Assert.True(verification.First > 1);
        File.Delete(log.Files[0]);
        var found = Assert.Single(log.Verify().Findings);
        Assert.Equal((Path.GetFileName(log.Files[0]), 1, AuditFindingKind.Missing), (found.File, found.Line, found.Kind));
    }

    [Fact]
    public async Task A_log_can_be_verified_while_it_is_written_and_its_files_begin_and_end()
    {
        using var log = new AuditLogs();
        log.Settings.KeepFiles = 3;
        await using var writer = await log.OpenAsync();
        using var done = new CancellationTokenSource();
        var writing = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                await writer.WriteAsync(log.Event(), toDisk: false);
                log.Time.Advance(TimeSpan.FromHours(5));
            }
        }, Cancel);
        for (var i = 0; i < 200 || log.Verify().Last <= 200; i++)
        {
            var verification = log.Verify();
            Assert.True(verification.FindingCount == 0, string.Join("; ", verification.Findings.Select(finding => finding.Sentence)));
        }

        await done.CancelAsync();
        await writing;
    }

    [Fact]
    public async Task A_log_of_any_size_is_verified_in_little_memory_and_a_line_without_end_is_one_finding()
    {
        using var log = new AuditLogs();
        await using (var writer = await log.OpenAsync())
        {
            await writer.WriteAsync(log.Event(), toDisk: true);
        }

        await File.AppendAllTextAsync(log.Files[^1], new string('x', 3_000_000) + "\n" + new string('y', 1_000_000), Cancel);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var verification = log.Verify();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_500_000);
        Assert.Equal(AuditFindingKind.Changed, Assert.Single(verification.Findings).Kind);
        Assert.Contains(verification.Notes, note => note.Contains("has no end yet", StringComparison.Ordinal));
    }

    private static (string File, int Line) ChangeByte(AuditLogs log, Random random)
    {
        var (file, lines, line) = AnyLine(log, random);
        var bytes = Encoding.ASCII.GetBytes(lines[line]);
        var at = random.Next(bytes.Length);
        byte other;
        do
        {
            other = (byte)random.Next(256);
        }
        while (other == bytes[at] || other == '\n');
        bytes[at] = other;
        WriteBytes(file, lines, line, bytes);
        return (Path.GetFileName(file), line + 1);
    }

    private static (string?, int) RemoveLine(AuditLogs log, Random random)
    {
        var (file, lines, line) = AnyLine(log, random);
        var last = log.Files[^1];
        lines.RemoveAt(line);
        Write(file, lines);
        if (line < lines.Count)
        {
            return (Path.GetFileName(file), line + 1);
        }

        if (file != last)
        {
            return (Path.GetFileName(log.Files[Array.IndexOf(log.Files, file) + 1]), 1);
        }

        return LastLine(log);
    }

    private static (string?, int) SwapLines(AuditLogs log, Random random)
    {
        var files = log.Files.Where(file => File.ReadLines(file).Count() > 1).ToArray();
        if (files.Length == 0)
        {
            return RemoveLine(log, random);
        }

        var file = files[random.Next(files.Length)];
        var lines = File.ReadAllLines(file).ToList();
        var line = random.Next(lines.Count - 1);
        (lines[line], lines[line + 1]) = (lines[line + 1], lines[line]);
        Write(file, lines);
        return (Path.GetFileName(file), line + 1);
    }

    private static (string?, int) RemoveFile(AuditLogs log, Random random)
    {
        var files = log.Files;
        var removed = random.Next(files.Length);
        File.Delete(files[removed]);
        return removed < files.Length - 1 ? (Path.GetFileName(files[removed + 1]), 1) : LastLine(log);
    }

    private static (string?, int) TruncateEnd(AuditLogs log, Random random)
    {
        using (var stream = new FileStream(log.Files[^1], FileMode.Open, FileAccess.ReadWrite))
        {
            stream.SetLength(stream.Length - random.Next(1, (int)stream.Length + 1));
        }

        return LastLine(log);
    }

    private static (string, int) AppendForgedLine(AuditLogs log, Random random)
    {
        // Everything right but the signature.
        var last = File.ReadAllLines(log.Files[^1])[^1];
        var prev = last[^66..^2];
        var (number, hash) = (random.Next(1, 1000), new string('a', 64));
        File.AppendAllText(log.Files[^1], $"{{\"atype\":\"createUser\",\"seq\":{number},\"prev\":\"{prev}\",\"hash\":\"{hash}\"}}\n");
        return (Path.GetFileName(log.Files[^1]), File.ReadAllLines(log.Files[^1]).Length);
    }

    private static (string, int) InsertLine(AuditLogs log, Random random)
    {
        var (file, lines, line) = AnyLine(log, random);
        lines.Insert(line, lines[line].Replace("\"result\":0", "\"result\":1", StringComparison.Ordinal));
        Write(file, lines);
        return (Path.GetFileName(file), line + 1);
    }

    private static (string, int) RepeatLine(AuditLogs log, Random random)
    {
        var (file, lines, line) = AnyLine(log, random);
        lines.Insert(line + 1, lines[line]);
        Write(file, lines);
        return (Path.GetFileName(file), line + 2);
    }

    private static (string, int) InsertLineOfAnotherLog(AuditLogs log, Random random)
    {
        using var other = new AuditLogs();
        other.FillAsync(new Random(random.Next())).GetAwaiter().GetResult();
        var (file, lines, line) = AnyLine(log, random);
        var (_, others, theirs) = AnyLine(other, random);
        lines[line] = others[theirs];
        Write(file, lines);
        return (Path.GetFileName(file), line + 1);
    }

    private static (string File, List<string> Lines, int Line) AnyLine(AuditLogs log, Random random)
    {
        var all = log.Files.SelectMany(file => File.ReadLines(file).Select((_, line) => (file, line))).ToList();
        var (chosen, number) = all[random.Next(all.Count)];
        return (chosen, [.. File.ReadAllLines(chosen)], number);
    }

    // Where the end is missed: after the last line that is left.
    private static (string?, int) LastLine(AuditLogs log)
    {
        foreach (var file in log.Files.Reverse())
        {
            var lines = File.ReadAllText(file).Count(character => character == '\n');
            if (lines > 0)
            {
                return (Path.GetFileName(file), lines);
            }
        }

        return (null, 0);
    }

    private static void Write(string file, List<string> lines) => File.WriteAllText(file, string.Concat(lines.Select(line => line + "\n")));

    private static void WriteBytes(string file, List<string> lines, int line, byte[] bytes)
    {
        using var stream = File.Create(file);
        for (var i = 0; i < lines.Count; i++)
        {
            stream.Write(i == line ? bytes : Encoding.ASCII.GetBytes(lines[i]));
            stream.WriteByte((byte)'\n');
        }
    }
}
