using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Platform.AppHost.Mongo;
using Platform.AppHost.Settings;
using Platform.Hosting.Mongo;
using Xunit;

namespace Platform.Tests.Unit.AppHost;

/// <summary>Data that is encrypted on the disk, in the graph as data: who is given the pass phrase, and what is refused.</summary>
public sealed class AtRestTests : IDisposable
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("at-rest-graph-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string KeyFile => Path.Combine(_data.FullName, "secrets", "at-rest.key");

    /// <inheritdoc/>
    public void Dispose() => _data.Delete(recursive: true);

    [Fact]
    public void A_pass_phrase_is_made_once_and_for_its_owner_alone()
    {
        Assert.Equal(KeyFile, AtRest.PassPhraseOf(Options().ReplicaSet()));
        var phrase = File.ReadAllText(KeyFile);
        Assert.Equal(32, Convert.FromBase64String(phrase).Length);
        Assert.Equal(KeyFile, AtRest.PassPhraseOf(Options().ReplicaSet()));
        Assert.Equal(phrase, File.ReadAllText(KeyFile));
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyFile));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(KeyFile)!));
        File.SetUnixFileMode(KeyFile, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Assert.Equal($"The pass phrase {KeyFile} can be read by others, as its mode is 404: 'chmod 600' closes it.", Refusal(Options()));
    }

    [Fact]
    public void Plain_data_asks_for_no_pass_phrase()
    {
        Member(1, "cluster");
        Assert.Null(AtRest.PassPhraseOf((Options() with { EncryptAtRest = false }).ReplicaSet()));
        Assert.False(File.Exists(KeyFile));
    }

    [Fact]
    public void A_lost_pass_phrase_is_not_replaced_by_another()
    {
        AtRest.PassPhraseOf(Options().ReplicaSet());
        Member(2, "encrypted");
        Assert.Equal(KeyFile, AtRest.PassPhraseOf(Options().ReplicaSet()));
        File.Delete(KeyFile);

        Assert.Equal(
            $"The pass phrase is missing at {KeyFile} (Platform:PassPhraseFile), but the data in {_data.FullName}/postgres-2 is encrypted with it: restore the "
                + "file from where a copy of it is kept, or './platform clean' removes the data.",
            Refusal(Options()));
        Assert.False(File.Exists(KeyFile));
    }

    [Theory]
    [InlineData(true, "cluster", "Platform:EncryptAtRest is true, but the data in {0}/postgres-3 was made without: set it to false, or")]
    [InlineData(false, "encrypted", "Platform:EncryptAtRest is false, but the data in {0}/postgres-3 is encrypted: set it to true, or")]
    public void A_setting_that_was_switched_is_refused_with_the_ways_out(bool encrypt, string has, string sentence)
    {
        Member(3, has);

        Assert.StartsWith(
            sentence.Replace("{0}", _data.FullName, StringComparison.Ordinal), Refusal(Options() with { EncryptAtRest = encrypt }), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Each_member_is_told_where_the_pass_phrase_is_and_nobody_is_told_the_pass_phrase(bool encrypt)
    {
        var environments = await EnvironmentsAsync(Options() with { EncryptAtRest = encrypt });

        Assert.Equal(3, environments.Count);
        Assert.All(environments, environment => Assert.Equal(encrypt ? KeyFile : null, environment.GetValueOrDefault("Gateway__PassPhraseFile")));
        Assert.True(!encrypt || environments.TrueForAll(e => !e.ContainsValue(File.ReadAllText(KeyFile).Trim())));
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Percona_Server_is_given_a_key_file_of_its_user_and_its_audit_log(bool encrypt, bool audit)
    {
        var options = Options() with
        {
            EngineChoice = new(Engine.Containers, "asked for by the test"), MongoEdition = MongoEdition.Percona, EncryptAtRest = encrypt, MongodAudit = audit,
        };
        var (builder, mongo) = Build(options);
        var members = Assert.IsType<MongoDBServerResource>(mongo.Resource.Servers.Single());

        var image = Assert.Single(members.Annotations.OfType<ContainerImageAnnotation>());
        Assert.Equal("percona/percona-server-mongodb:8.0", $"{image.Image}:{image.Tag}");
        var environment = Assert.Single(await ResourceEnvironments.OfAsync(builder, members));
        Assert.Equal(encrypt ? "/replica-set/at-rest.key" : null, environment.GetValueOrDefault("MONGO_AT_REST_KEY"));
        Assert.Equal(audit ? "/data/db/audit" : null, environment.GetValueOrDefault("MONGO_AUDIT"));
        Assert.StartsWith("the volume platform-", (string)environment["MONGO_DATA"], StringComparison.Ordinal);
        var files = Assert.Single(members.Annotations.OfType<ContainerFileSystemCallbackAnnotation>());
        var key = (await files.Callback(new ContainerFileSystemCallbackContext { Model = members, Services = null! }, Cancel))
            .Cast<ContainerFile>().SingleOrDefault(file => file.Name == "at-rest.key");
        Assert.Equal(encrypt, key is not null);
        if (key is not null)
        {
            Assert.Equal(
                (File.ReadAllText(KeyFile), UnixFileMode.UserRead | UnixFileMode.UserWrite, 1001, 1001), (key.Contents, key.Mode, key.Owner, key.Group));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Members_of_Percona_Server_are_started_with_what_it_asks_for(bool encrypted)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The script needs Linux.");
        await using (var script = await ScriptAsync(encrypted))
        {
            var arguments = await ArgumentsAsync();
            Assert.Equal(encrypted, arguments.Contains($"--enableEncryption --encryptionKeyFile {KeyFile} ", StringComparison.Ordinal));
            Assert.Contains(
                "--auditDestination file --auditFormat JSON --auditPath " + Path.Combine(_data.FullName, "audit", "member-1.json")
                    + " --auditFilter { atype: { $in: [\"authenticate\", \"authCheck\", ",
                arguments,
                StringComparison.Ordinal);
            await script.TerminateAsync();
        }

        if (encrypted)
        {
            // As when it was lost, and the next start made another.
            await File.WriteAllTextAsync(KeyFile, "another\n", Cancel);
            await using var lost = await ScriptAsync(encrypted);
            await lost.UntilEndedAsync();
            Assert.Contains("is encrypted with another pass phrase than the one given now: restore", lost.Output, StringComparison.Ordinal);
        }

        // With data that was made the other way it ends at once, and nothing is started.
        foreach (var file in Directory.EnumerateFiles(_data.FullName, "arguments-*"))
        {
            File.Delete(file);
        }

        await using var other = await ScriptAsync(!encrypted);
        await other.UntilEndedAsync();
        Assert.Contains(
            encrypted
                ? "is encrypted, but Platform:EncryptAtRest is false: set it to true, or remove the volume of the test, and with it the data."
                : "was made without encryption, but Platform:EncryptAtRest is true: set it to false, or remove the volume of the test, and with it the data.",
            other.Output,
            StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(_data.FullName, "arguments-*"));
    }

    private async Task<string> ArgumentsAsync()
    {
        var file = Path.Combine(_data.FullName, "arguments-1");
        await Wait.UntilAsync(() => Task.FromResult(File.Exists(file)), () => "a member was started", Wait.Patience, Cancel);
        return await File.ReadAllTextAsync(file, Cancel);
    }

    // The script with a mongod that writes down its arguments, and a mongosh that has nothing to say.
    private async Task<ServerProcess> ScriptAsync(bool encrypted)
    {
        var tools = _data.CreateSubdirectory("tools");
        await ToolAsync("mongod", $$"""
            while [ "$1" != --dbpath ]; do all="$all $1"; shift; done
            member=${2##*-}
            printf '%s ' $all "$@" >"{{_data.FullName}}/arguments-$member.new"
            mv "{{_data.FullName}}/arguments-$member.new" "{{_data.FullName}}/arguments-$member"
            exec sleep 1000
            """);
        await ToolAsync("mongosh", "exit 0");
        AtRest.PassPhraseOf(Options().ReplicaSet());
        var environment = new Dictionary<string, string?>
        {
            ["PATH"] = $"{tools.FullName}:{Environment.GetEnvironmentVariable("PATH")}", ["MONGO_REPLICA_SET"] = "rs0", ["MONGO_PORTS"] = "1 2 3",
            ["MONGO_BIND_ADDRESS"] = "127.0.0.1", ["MONGO_KEYFILE"] = "keyfile", ["MONGO_ROOT_USERNAME"] = "root", ["MONGO_ROOT_PASSWORD"] = "password",
            ["MONGO_DATA"] = "the volume of the test", ["MONGO_AT_REST_SETTING"] = "Platform:EncryptAtRest",
            ["MONGO_AUDIT"] = Path.Combine(_data.FullName, "audit"),
            ["MONGO_AT_REST_KEY"] = encrypted ? KeyFile : null,
        };
        return ServerProcess.Start(ServerImage.Script("mongod-replica-set"), [Path.Combine(_data.FullName, "db")], environment);

        async Task ToolAsync(string name, string text)
        {
            var file = Path.Combine(tools.FullName, name);
            await File.WriteAllTextAsync(file, "#!/bin/sh\n" + text + "\n", Cancel);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }
    }

    private static string Refusal(PlatformOptions options) =>
        Assert.Throws<DistributedApplicationException>(() => AtRest.PassPhraseOf(options.ReplicaSet())).Message;

    private void Member(int number, string has) => Directory.CreateDirectory(Path.Combine(Options().ReplicaSet().DataDirectoryOf(number), has));

    private PlatformOptions Options() => new()
    {
        EngineChoice = new(Engine.DocumentDb, "asked for by the test"), DataDirectory = _data.FullName, ServerImage = "/image", EncryptAtRest = true,
        PassPhraseFile = KeyFile,
    };

    private static (IDistributedApplicationBuilder Builder, IResourceBuilder<MongoReplicaSetResource> Mongo) Build(PlatformOptions options)
    {
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions { DisableDashboard = true });
        return (builder, builder.AddMongoReplicaSet(ResourceNames.Mongo, options));
    }

    private static async Task<List<Dictionary<string, object>>> EnvironmentsAsync(PlatformOptions options)
    {
        var (builder, mongo) = Build(options);
        return await ResourceEnvironments.OfAsync(builder, [.. mongo.Resource.Servers]);
    }
}
