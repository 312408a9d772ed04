using System.Security.Cryptography;
using System.Text;
using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.Gateway.Replication;

/// <summary>Members whose data is encrypted on the disk.</summary>
public sealed class AtRestTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("at-rest-");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string PhraseFile => Path.Combine(_directory.FullName, "phrase");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory(Timeout = 240_000)]
    [InlineData(true)]
    [InlineData(false)] // what the search would find
    public async Task On_the_disk_is_nothing_of_a_document_when_it_is_encrypted(bool isEncrypted)
    {
        await EncryptedDisk.RequireAsync(Token);
        var marker = $"marker-{Guid.NewGuid():N}";
        await using var set = Prepare(isEncrypted);
        await set.ResizeAsync(3, Token);

        var collection = set.Client.GetDatabase("shop").GetCollection<BsonDocument>("notes");
        await collection.InsertManyAsync(Enumerable.Range(0, 100).Select(i => new BsonDocument { ["_id"] = i, ["text"] = marker }), cancellationToken: Token);
        await CheckpointAsync(set);

        for (var member = 1; member <= 3; member++)
        {
            var found = EncryptedDisk.FilesWith(set.DataOf(member), Encoding.UTF8.GetBytes(marker));
            Assert.True(isEncrypted == (found.Count == 0), $"Member {member} has it in [{string.Join(", ", found)}].");
        }
    }

    [Fact(Timeout = 240_000)]
    public async Task Data_outlives_a_stop_and_a_kill_of_everything()
    {
        await EncryptedDisk.RequireAsync(Token);
        await using var set = Prepare(isEncrypted: true);
        await set.ResizeAsync(3, Token);
        await InsertAsync(set, 1);

        await set.ResizeAsync(0, Token);
        await set.ResizeAsync(3, Token);
        Assert.Equal([1], await ReadAsync(set));

        await InsertAsync(set, 2);
        Assert.Equal(3, MountsOf(set).Count());
        await Task.WhenAll(set.Members.Select(m => m.KillAsync()));
        await Wait.UntilAsync(
            () => Task.FromResult(!MountsOf(set).Any()), () => $"Still mounted: {string.Join("; ", MountsOf(set))}", Wait.Patience, Token);
        await set.ResizeAsync(3, Token);
        Assert.Equal([1, 2], await ReadAsync(set));
        Assert.DoesNotContain(File.ReadLines("/proc/self/mounts"), line => line.Contains("gocryptfs", StringComparison.Ordinal));
    }

    [Fact(Timeout = 240_000)]
    public async Task A_member_takes_over_and_one_that_lost_its_data_gets_it_again()
    {
        await EncryptedDisk.RequireAsync(Token);
        await using var set = Prepare(isEncrypted: true);
        await set.ResizeAsync(3, Token);
        await InsertAsync(set, 1);

        var primary = await set.PrimaryAsync(Token);
        primary.KillPostgres();
        await set.UntilWholeAsync(Token);
        await InsertAsync(set, 2);

        var lost = set.Members.First(m => m.Number != primary.Number);
        await lost.ShutDownAsync();
        Directory.Delete(lost.DataDirectory, recursive: true);
        lost.Start();
        await set.UntilWholeAsync(Token);
        await InsertAsync(set, 3);
        Assert.Equal([1, 2, 3], await ReadAsync(set));
    }

    [Fact(Timeout = 240_000)]
    public async Task The_file_system_that_dies_under_its_server_is_mounted_again()
    {
        await EncryptedDisk.RequireAsync(Token);
        await using var set = Prepare(isEncrypted: true);
        await set.ResizeAsync(1, Token);
        await InsertAsync(set, 1);

        var before = Assert.Single(MountsOf(set));
        using (var mount = System.Diagnostics.Process.GetProcessById(before))
        {
            mount.Kill();
            await mount.WaitForExitAsync(Token);
        }

        await Wait.UntilAsync(
            () => Task.FromResult(MountsOf(set).Any(id => id != before)), () => $"it is mounted again. {set.Output}", Wait.Patience, Token);
        await set.UntilWholeAsync(Token);
        await Wait.UntilAsync(
            async () =>
            {
                try
                {
                    return await ReadAsync(set) is [1];
                }
                catch (Exception e) when (e is MongoException or TimeoutException)
                {
                    return false;
                }
            },
            () => $"the data is read again. {set.Output}",
            Wait.Patience,
            Token);
    }

    [Fact(Timeout = 240_000)]
    public async Task Another_pass_phrase_and_a_changed_setting_are_refused_and_nothing_is_lost()
    {
        await EncryptedDisk.RequireAsync(Token);
        await using var set = Prepare(isEncrypted: true);
        await set.ResizeAsync(1, Token);
        await InsertAsync(set, 1);
        await set.ResizeAsync(0, Token);
        var phrase = File.ReadAllText(PhraseFile);

        WritePhrase("another");
        await RefusedAsync(set, PhraseFile, "is not opened by the pass phrase in");
        WritePhrase(phrase);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(PhraseFile, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        }

        await RefusedAsync(set, PhraseFile, "has not the mode 600");
        File.Delete(PhraseFile);
        await RefusedAsync(set, PhraseFile, "does not exist: without it, what is encrypted cannot be read");
        await RefusedAsync(set, null, "is encrypted, but Gateway:PassPhraseFile is not set: set it again, or remove that directory");

        WritePhrase(phrase);
        await set.ResizeAsync(1, Token);
        Assert.Equal([1], await ReadAsync(set));
    }

    [Fact(Timeout = 240_000)]
    public async Task Data_that_is_plain_is_not_encrypted_behind_ones_back()
    {
        await EncryptedDisk.RequireAsync(Token);
        await using var set = Prepare(isEncrypted: false);
        await set.ResizeAsync(1, Token);
        await InsertAsync(set, 1);
        await set.ResizeAsync(0, Token);

        WritePhrase("some phrase");
        await RefusedAsync(set, PhraseFile, "is not encrypted, but Gateway:PassPhraseFile is set: leave it out, or remove that directory");

        await set.ResizeAsync(1, Token);
        Assert.Equal([1], await ReadAsync(set));
    }

    private ReplicaSetFixture Prepare(bool isEncrypted)
    {
        if (!isEncrypted)
        {
            return ReplicaSetFixture.Prepare();
        }

        WritePhrase(Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
        return ReplicaSetFixture.Prepare(("Gateway__PassPhraseFile", PhraseFile));
    }

    private void WritePhrase(string phrase) => OwnerOnly.Write(PhraseFile, phrase);

    private static async Task InsertAsync(ReplicaSetFixture set, int id) => await set.Client.GetDatabase("shop").GetCollection<BsonDocument>("numbers")
        .InsertOneAsync(new BsonDocument("_id", id), cancellationToken: Token);

    private static async Task<List<int>> ReadAsync(ReplicaSetFixture set) =>
        [.. (await set.Client.GetDatabase("shop").GetCollection<BsonDocument>("numbers").Find(FilterDefinition<BsonDocument>.Empty)
            .SortBy(d => d["_id"]).ToListAsync(Token)).Select(d => d["_id"].AsInt32)];

    private static async Task CheckpointAsync(ReplicaSetFixture set)
    {
        foreach (var member in set.Members)
        {
            await using var connection = new Npgsql.NpgsqlConnection(member.PostgresConnectionString + ";Pooling=false");
            await connection.OpenAsync(Token);
            await using var command = new Npgsql.NpgsqlCommand("CHECKPOINT", connection);
            await command.ExecuteNonQueryAsync(Token);
        }
    }

    // The processes that keep the members' file systems.
    private static IEnumerable<int> MountsOf(ReplicaSetFixture set) => set.Members.Count == 0 ? [] : Directory.GetDirectories("/proc")
        .Select(d => Path.GetFileName(d)).Where(name => name.All(char.IsAsciiDigit)).Select(int.Parse)
        .Where(id => Name(id) == "gocryptfs" && set.Members.Any(m => IsIn(id, m.DataDirectory)));

    private static bool IsIn(int id, string data)
    {
        try
        {
            // What the sandbox has at /mnt.
            return File.ReadLines($"/proc/{id}/mountinfo").Any(line => line.Contains($"{data} /mnt ", StringComparison.Ordinal));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string? Name(int id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/comm").TrimEnd();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It has ended.
            return null;
        }
    }

    private static async Task RefusedAsync(ReplicaSetFixture set, string? phraseFile, string sentence)
    {
        var environment = new Dictionary<string, string?>
        {
            ["Gateway__Members"] = $"127.0.0.1:{FreePort.Find(1)[0]}",
            ["Gateway__DataDirectory"] = set.DataOf(1),
            ["Gateway__SocketDirectory"] = set.Sockets,
            ["Gateway__ServerImage"] = ServerImage.Directory,
            ["Gateway__NativeScripts"] = ServerImage.Script(""),
            ["Gateway__PassPhraseFile"] = phraseFile,
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
        };
        var start = new System.Diagnostics.ProcessStartInfo(ServerImage.Script("member"), [BuiltProgram.Path("Gateway")]);
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var result = await ProgramResult.OfAsync(start, Token);
        Assert.True(result.ExitCode == 78, result.Errors);
        Assert.Contains(sentence, Assert.Single(result.Errors.Trim().Split('\n')), StringComparison.Ordinal);
    }
}
