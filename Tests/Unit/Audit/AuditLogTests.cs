using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Platform.Audit;
using Xunit;

namespace Platform.Tests.Unit.Audit;

/// <summary>What is written, how it goes on after whatever happened, and what is kept.</summary>
public sealed class AuditLogTests : IDisposable
{
    private readonly AuditLogs _logs = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _logs.Dispose();

    [Fact]
    public async Task A_record_has_the_shape_of_MongoDBs_audit_messages()
    {
        await using (var log = await _logs.OpenAsync())
        {
            await log.WriteAsync(
                _logs.Event() with
                {
                    Connection = new Guid("00112233-4455-6677-8899-aabbccddeeff"),
                    Local = IPEndPoint.Parse("127.0.0.1:27017"),
                    Remote = IPEndPoint.Parse("[::ffff:10.1.2.3]:50000"),
                    Result = 11000,
                },
                toDisk: true);
        }

        var line = (await File.ReadAllLinesAsync(_logs.Files[0], Cancel))[0];
        Assert.StartsWith(
            """{"atype":"createUser","ts":{"$date":"2026-11-30T22:00:00.000+00:00"},"uuid":{"$binary":"ABEiM0RVZneImaq7zN3u/w==","$type":"04"}"""
                + ""","local":{"ip":"127.0.0.1","port":27017},"remote":{"ip":"10.1.2.3","port":50000},"users":[{"user":"platform","db":"admin"}]"""
                + ""","roles":[{"role":"root","db":"admin"}],"param":{"user":"ann","db":"admin"},"result":11000,"seq":1,"prev":"000000""",
            line,
            StringComparison.Ordinal);
        var record = AuditRecord.TryParse(Encoding.ASCII.GetBytes(line))!;
        Assert.Equal(("createUser", _logs.Time.GetUtcNow(), 11000, 1L), (record.Type, record.At, record.Result, record.Number));
        Assert.Equal(IPEndPoint.Parse("10.1.2.3:50000"), record.Remote);
    }

    [Fact]
    public async Task Files_and_directories_are_their_owners_alone()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Modes of files are Linux's.");
        await (await _logs.OpenAsync()).DisposeAsync();
        await using (var log = await _logs.OpenAsync())
        {
            await log.WriteAsync(_logs.Event(), toDisk: true);
            Assert.All(
                Directory.GetFiles(_logs.Root, "*", SearchOption.AllDirectories),
                file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, Mode(file)));
            Assert.All(
                Directory.GetDirectories(_logs.Root, "*", SearchOption.AllDirectories),
                directory => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, Mode(directory)));
        }

        UnixFileMode Mode(string path) => OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(path);
    }

    [Theory]
    [InlineData(11)]
    public async Task Whatever_a_name_holds_it_stays_in_its_line_and_its_field(int seed)
    {
        var random = new Random(seed);
        var hostile = new List<string>
        {
            "\n", "\r\n", "\u0085", "\u2028\u2029", "\0", "\u001b[2J", "\u202e", "\"},\"result\":0}\n{\"atype\":\"x\"", "\\\"", "\ud800",
            "ä€😀", "\u007f", "",
            new('"', 100_000), new('\n', 100_000), string.Concat(Enumerable.Repeat("😀", 50_000)),
        };
        for (var i = 0; i < 500; i++)
        {
            hostile.Add(new string([.. Enumerable.Range(0, random.Next(40)).Select(_ => (char)random.Next(char.MaxValue + 1))]));
        }

        await using (var log = await _logs.OpenAsync())
        {
            foreach (var name in hostile)
            {
                await log.WriteAsync(
                    _logs.Event() with
                    {
                        Users = [(name, name)],
                        Roles = [.. Enumerable.Repeat((name, name), 200)],
                        Param = new JsonObject { ["user"] = name, [name + "x"] = name, ["list"] = List(name, 200) },
                    },
                    toDisk: false);
            }
        }

        Assert.Empty(_logs.Verify().Findings);
        var lines = File.ReadAllBytes(_logs.Files.Single()).AsSpan();
        var count = 0;
        while (lines.IndexOf((byte)'\n') is >= 0 and var length)
        {
            var line = lines[..length];
            Assert.InRange(length, 1, 64 * 1024);
            Assert.False(line.ContainsAnyExceptInRange((byte)' ', (byte)'~'));
            using var parsed = JsonDocument.Parse(line.ToArray());
            Assert.Equal("createUser", parsed.RootElement.GetProperty("atype").GetString());
            var said = parsed.RootElement.GetProperty("users")[0].GetProperty("user").GetString()!;
            var name = hostile[count];
            // Half a pair of surrogates is no text, and becomes U+FFFD.
            var expected = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(name.Length > 256 ? name[..256] + "…" : name));
            Assert.Equal(expected, said);
            count++;
            lines = lines[(length + 1)..];
        }

        Assert.Equal(hostile.Count, count);
        Assert.True(lines.IsEmpty);
    }

    [Fact]
    public async Task Many_events_at_once_are_all_written_once_and_those_of_one_in_their_order()
    {
        await using (var log = await _logs.OpenAsync())
        {
            await Task.WhenAll(Enumerable.Range(0, 32).Select(writer => Task.Run(
                async () =>
                {
                    for (var i = 0; i < 100; i++)
                    {
                        await log.WriteAsync(_logs.Event(user: $"{writer} {i}"), toDisk: i % 10 == 0);
                    }
                },
                Cancel)));
        }

        var users = (await File.ReadAllLinesAsync(_logs.Files.Single(), Cancel))
            .Select(line => AuditRecord.TryParse(Encoding.ASCII.GetBytes(line))!.Param.GetProperty("user").GetString()!).ToList();
        Assert.Equal(3200, users.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(3200, users.Count);
        Assert.All(
            users.GroupBy(user => user.Split(' ')[0], StringComparer.Ordinal),
            group => Assert.Equal(Enumerable.Range(0, 100).Select(i => $"{group.Key} {i}"), group));
        Assert.Empty(_logs.Verify().Findings);
    }

    [Fact]
    public async Task A_torn_last_line_is_removed_with_a_record_and_the_chain_goes_on()
    {
        await using (var log = await _logs.OpenAsync())
        {
            await log.WriteAsync(_logs.Event(), toDisk: true);
        }

        await File.AppendAllTextAsync(_logs.Files[0], "{\"atype\":\"crea", Cancel);
        await using (var log = await _logs.OpenAsync())
        {
            Assert.Contains("torn after 14 bytes", Assert.Single(log.Found), StringComparison.Ordinal);
            await log.WriteAsync(_logs.Event(), toDisk: true);
        }

        var verification = _logs.Verify();
        Assert.Empty(verification.Findings);
        Assert.Equal((3L, 3L), (verification.Lines, verification.Last));
        Assert.Contains("was torn", Assert.Single(verification.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_end_that_was_cut_is_told_at_the_next_start_and_stays_missing()
    {
        await using (var log = await _logs.OpenAsync())
        {
            for (var i = 0; i < 5; i++)
            {
                await log.WriteAsync(_logs.Event(), toDisk: true);
            }
        }

        var lines = await File.ReadAllLinesAsync(_logs.Files[0], Cancel);
        await File.WriteAllTextAsync(_logs.Files[0], string.Concat(lines.Take(3).Select(line => line + "\n")), Cancel);
        await using (var log = await _logs.OpenAsync())
        {
            Assert.EndsWith("ends with line 3, but 5 were written.", Assert.Single(log.Found), StringComparison.Ordinal);
        }

        var findings = _logs.Verify().Findings;
        Assert.Contains(findings, finding => finding is { Line: 4, Kind: AuditFindingKind.Missing }
            && finding.Sentence.Contains("lines 4 to 5", StringComparison.Ordinal));
        Assert.Contains(findings, finding => finding is { Line: 4, Kind: AuditFindingKind.Changed });
    }

    [Fact]
    public async Task A_log_without_its_key_is_not_gone_on_with()
    {
        await (await _logs.OpenAsync()).DisposeAsync();
        File.Delete(Path.Combine(_logs.Settings.KeyDirectory!, AuditLogs.Writer + ".key"));
        var error = await Assert.ThrowsAsync<AuditUnavailableException>(_logs.OpenAsync);
        Assert.Contains("is missing, which the audit log in", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_process_writes_a_log_at_a_time_and_the_next_one_waits_for_it()
    {
        var first = await _logs.OpenAsync();
        await first.WriteAsync(_logs.Event(), toDisk: true);
        var second = AuditLog.OpenAsync(_logs.Settings, AuditLogs.Writer, TimeSpan.FromMinutes(1), TimeProvider.System, Cancel);
        Assert.False(second.IsCompleted);
        await first.DisposeAsync();
        await using (var log = await second)
        {
            await log.WriteAsync(_logs.Event(), toDisk: true);
        }

        Assert.Equal(2, _logs.Verify().Last);
        await Assert.ThrowsAsync<AuditUnavailableException>(async () => await first.WriteAsync(_logs.Event(), toDisk: true));
    }

    [Fact]
    public async Task A_day_and_a_size_begin_a_file_and_old_ones_go_by_count_and_by_age_with_a_record()
    {
        (_logs.Settings.KeepFiles, _logs.Settings.KeepDays, _logs.Settings.MaxFileMegabytes) = (5, 3, 1);
        await using (var log = await _logs.OpenAsync())
        {
            // A file by size, within a day.
            var large = _logs.Event() with { Param = new JsonObject { ["list"] = List(new string('x', 250), 40) } };
            for (var i = 0; i < 150; i++)
            {
                await log.WriteAsync(large, toDisk: false);
            }

            Assert.Equal(2, _logs.Files.Length);
            for (var day = 0; day < 7; day++)
            {
                _logs.Time.Advance(TimeSpan.FromDays(1));
                await log.WriteAsync(_logs.Event(), toDisk: false);
            }
        }

        Assert.InRange(_logs.Files.Length, 4, 5);
        Assert.Empty(_logs.Verify().Findings);
        var removed = _logs.Files.SelectMany(File.ReadLines).Select(line => AuditRecord.TryParse(Encoding.ASCII.GetBytes(line))!)
            .Where(record => record.Type == AuditTypes.Expired).ToList();
        Assert.NotEmpty(removed);
        Assert.All(removed, record => Assert.False(File.Exists(Path.Combine(_logs.Log, record.Param.GetProperty("file").GetString()!))));
    }

    [Fact]
    public async Task A_full_disk_fails_who_waits_and_what_was_not_written_comes_first_when_there_is_room()
    {
        await using var disk = await SmallDisk.MountAsync(2048, Cancel);
        var settings = new AuditSettings { Directory = Path.Combine(disk.Path, "log"), KeyDirectory = _logs.Settings.KeyDirectory };
        await using (var log = await AuditLog.OpenAsync(settings, AuditLogs.Writer, TimeSpan.Zero, _logs.Time, Cancel))
        {
            await log.WriteAsync(_logs.Event(user: "before"), toDisk: true);
            disk.Fill();
            var failures = 0;
            // What is left of the last block may take some more.
            for (var i = 0; failures < AuditLog.MostRemembered + 7; i++)
            {
                try
                {
                    await log.WriteAsync(_logs.Event(user: $"during {i}"), toDisk: true);
                    Assert.Equal(0, failures);
                }
                catch (AuditUnavailableException e)
                {
                    Assert.Contains("cannot be written", e.Message, StringComparison.Ordinal);
                    failures++;
                }
            }

            Assert.Contains("space", log.Trouble, StringComparison.Ordinal);
            await Assert.ThrowsAsync<AuditUnavailableException>(async () => await log.RecoverAsync());
            disk.Free();
            await log.RecoverAsync();
            Assert.Null(log.Trouble);
            await log.WriteAsync(_logs.Event(user: "after"), toDisk: true);
        }

        var verification = AuditVerifier.Verify(settings, AuditLogs.Writer, Cancel);
        Assert.Empty(verification.Findings);
        Assert.Contains("1000 events came late, 7 are lost", Assert.Single(verification.Notes), StringComparison.Ordinal);
        var users = File.ReadLines(Directory.GetFiles(Path.Combine(settings.Directory, AuditLogs.Writer), "*.jsonl").Single())
            .Select(line => AuditRecord.TryParse(Encoding.ASCII.GetBytes(line))!)
            .Select(record => record.Type == AuditTypes.Recovered ? "recovered" : record.Param.GetProperty("user").GetString()!.Split(' ')[0]).ToList();
        Assert.Equal("before", users[0]);
        Assert.Equal(["during", "recovered", "after"], users[^3..]);
        Assert.All(users[1..^2], user => Assert.Equal("during", user));
    }

    private static JsonArray List(string text, int count) => new([.. Enumerable.Repeat(text, count).Select(one => (JsonNode)one)]);

    [Theory]
    [InlineData("log", "/keys", "Audit:Directory 'log' is not a full path.")]
    [InlineData("/log", null, "Audit:KeyDirectory '' is not a full path.")]
    [InlineData("/log", "/log/keys", "Audit:KeyDirectory '/log/keys' is inside of Audit:Directory: whoever can write the log could sign it.")]
    [InlineData("/log", "/log", "Audit:KeyDirectory '/log' is inside of Audit:Directory: whoever can write the log could sign it.")]
    public void A_wrong_directory_is_one_sentence(string directory, string? keys, string sentence) =>
        Assert.Equal(sentence, Assert.Single(new AuditSettings { Directory = directory, KeyDirectory = keys }.Mistakes("Audit")));

    [Fact]
    public void Without_a_directory_nothing_is_wrong_and_nothing_is_recorded()
    {
        var settings = new AuditSettings();
        Assert.False(settings.IsOn);
        Assert.Empty(settings.Mistakes("Audit"));
        Assert.Empty(new AuditSettings { Directory = "/a/log", KeyDirectory = "/a/log-keys" }.Mistakes("Audit"));
    }
}
