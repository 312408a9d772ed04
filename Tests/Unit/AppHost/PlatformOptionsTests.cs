using System.Net;
using System.Net.Sockets;
using Aspire.Hosting;
using Microsoft.Extensions.Configuration;
using Platform.AppHost.Security;
using Platform.AppHost.Settings;
using Xunit;

namespace Platform.Tests.Unit.AppHost;

public sealed class PlatformOptionsTests
{
    [Theory]
    [InlineData(null, true, "mongod mongosh", "containers (chosen by auto: a container runtime answers)")]
    [InlineData("", false, "mongod mongosh", "mongod (chosen by auto: no container runtime answers, and mongod is on the PATH)")]
    [InlineData("auto", false, "mongod", "documentdb (chosen by auto: no container runtime answers, and mongosh is not on the PATH)")]
    [InlineData("AUTO", false, "", "documentdb (chosen by auto: no container runtime answers, and mongod is not on the PATH)")]
    [InlineData("containers", true, "", "containers (asked for by Platform:Engine)")]
    [InlineData("mongod", true, "mongod mongosh", "mongod (asked for by Platform:Engine)")]
    [InlineData("DocumentDB", true, "mongod mongosh", "documentdb (asked for by Platform:Engine)")]
    [InlineData("external", false, "", "external (asked for by Platform:Engine)")]
    public void Engine_is_the_one_asked_for_or_the_first_that_the_machine_can_run(string? value, bool runsContainers, string programs, string expected)
        => Assert.Equal(expected, EngineChoice.From(value, MachineWith(runsContainers, programs)).ToString());

    [Theory]
    [InlineData("containers", "mongod "
        + "mongosh", "Platform:Engine is 'containers', but no container runtime answers: start Docker or Podman, or use --Platform:Engine=documentdb.")]
    [InlineData("mongod", "mongosh", "Platform:Engine is 'mongod', but mongod is not on the PATH: install it, or use --Platform:Engine=documentdb.")]
    [InlineData("mongod", "mongod", "Platform:Engine is 'mongod', but mongosh is not on the PATH: install it, or use --Platform:Engine=documentdb.")]
    [InlineData("native", "", "Platform:Engine is 'native', but must be auto, containers, mongod, documentdb or external.")]
    public void An_engine_that_cannot_work_is_refused_with_the_way_out(string value, string programs, string sentence)
        => Assert.Equal(sentence, Assert.Throws<DistributedApplicationException>(() => EngineChoice.From(value, MachineWith(false, programs))).Message);

    [Fact]
    public void A_runtime_that_is_installed_and_does_not_answer_is_named_with_its_reason()
    {
        var machine = MachineWith(runsContainers: false, "", obstacle: "docker did not answer within 15 s");

        Assert.Equal(
            "documentdb (chosen by auto: no container runtime answers (docker did not answer within 15 s), and mongod is not on the PATH)",
            EngineChoice.From(setting: null, machine).ToString());
        Assert.Equal(
            "Platform:Engine is 'containers', but no container runtime answers (docker did not answer within 15 s): start Docker or Podman, or use "
                + "--Platform:Engine=documentdb.",
            Assert.Throws<DistributedApplicationException>(() => EngineChoice.From("containers", machine)).Message);
    }

    [Theory]
    [InlineData("mongod")]
    [InlineData("documentdb")]
    public void Servers_of_the_machine_are_refused_where_it_is_not_Linux(string engine)
        => Assert.Equal(
            $"The engine is {engine} (asked for by Platform:Engine), whose servers run on Linux only: start Docker or Podman, or name servers that run "
                + "already (--Platform:Engine=external).",
            Read([new("Platform:Engine", engine)], "mongod mongosh").ObstacleTo(Section([]), MachineWith(false, "bwrap", isLinux: false)));

    [Theory]
    [InlineData(null, null, "Single", "allkeys-lru")]
    [InlineData("single", "allkeys-lru", "Single", "allkeys-lru")]
    [InlineData("cluster", "allkeys-lfu", "Cluster", "allkeys-lfu")]
    public void Redis_is_a_single_server_that_evicts_by_LRU_unless_said_otherwise(string? mode, string? policy, string expected, string evicts)
    {
        var options = Read([new("Platform:Engine", "documentdb"), new("Platform:Redis:Mode", mode), new("Platform:Redis:MaxMemoryPolicy", policy)], "");

        Assert.Equal((expected, evicts), (options.RedisMode.ToString(), options.RedisMaxMemoryPolicy));
    }

    [Theory]
    [InlineData("Mode", "sentinel", "Platform:Redis:Mode is 'sentinel', but must be single or cluster.")]
    [InlineData("MaxMemoryPolicy", "noeviction", "Platform:Redis:MaxMemoryPolicy is 'noeviction', but must be allkeys-lru or allkeys-lfu.")]
    public void A_Redis_that_does_not_exist_is_refused(string key, string value, string sentence) => Assert.Equal(
        sentence,
        Assert.Throws<DistributedApplicationException>(() => Read([new("Platform:Engine", "documentdb"), new($"Platform:Redis:{key}", value)], "")).Message);

    [Theory]
    [InlineData("containers", "Mode", "cluster", "Platform:Redis:Mode is 'cluster', which the engine containers does not run:")]
    [InlineData("external", "Mode", "cluster", "Platform:Redis:Mode and MaxMemoryPolicy are for a Redis that the graph runs, but the engine is external:")]
    [InlineData("external", "MaxMemoryPolicy", "allkeys-lfu", "Platform:Redis:Mode and MaxMemoryPolicy are for a Redis that the graph runs, but")]
    public void A_Redis_that_the_engine_does_not_run_is_refused(string engine, string key, string value, string beginning) => Assert.StartsWith(
        beginning,
        PlatformOptions.From(Section([new("Platform:Engine", engine), new($"Platform:Redis:{key}", value)]), "/repository/AppHost/", MachineWith(true, ""))
            .ObstacleTo(Section([]), MachineWith(true, "")),
        StringComparison.Ordinal);

    [Theory]
    [InlineData(null, true)]
    [InlineData("true", true)]
    [InlineData("False", false)]
    public void Connections_are_encrypted_unless_it_is_said_otherwise(string? value, bool expected) =>
        Assert.Equal(expected, Read([new("Platform:Tls", value)]).Tls);

    [Theory]
    [InlineData(null, null, null, null)]
    [InlineData("documentdb", "false", null, "Platform:Api:Https is true, but there is no certificate for it: Platform:Tls is false.")]
    [InlineData("external", null, null, "Platform:Api:Https is true, but there is no certificate for it: with the engine external")]
    [InlineData("documentdb", null, "monitoring", "Platform:Api:Https is true and Platform:Parts has monitoring, but Prometheus asks")]
    public void The_API_has_TLS_where_it_is_asked_for_and_there_is_a_certificate(string? engine, string? tls, string? parts, string? refusal)
    {
        Assert.False(Read([]).ApiHttps);
        var options = PlatformOptions.From(
            Section(
                [new("Platform:Api:Https", "true"), new("Platform:Engine", engine ?? "documentdb"), new("Platform:Tls", tls), new("Platform:Parts", parts)]),
            "/repository/AppHost/", MachineWith(true, "bwrap"));
        Assert.True(options.ApiHttps);
        Assert.Equal("https", options.ApiEndpoint());
        var obstacle = options.ObstacleTo(Section([]), MachineWith(true, "bwrap"));
        Assert.Equal(refusal is not null, obstacle?.StartsWith("Platform:Api:Https", StringComparison.Ordinal) == true);
        if (refusal is not null)
        {
            Assert.StartsWith(refusal, obstacle, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Only_auto_and_containers_ask_for_a_container_runtime()
    {
        var machine = new Machine(() => throw new InvalidOperationException("asked"), _ => true, IsLinux: true);

        Assert.All(["mongod", "documentdb", "external"], engine => EngineChoice.From(engine, machine));
    }

    [Theory]
    [InlineData("mongod")]
    [InlineData("documentdb")]
    public void Servers_of_the_image_are_refused_without_the_image_and_what_mounts_it(string engine)
    {
        var image = Directory.CreateTempSubdirectory("server-image-");
        try
        {
            var options = Read([new("Platform:Engine", engine), new("Platform:ServerImage", image.FullName)], "mongod mongosh");
            Assert.Equal(
                $"The engine is {engine} (asked for by Platform:Engine), but the server image is missing at {image.FullName}: run './platform setup'.",
                options.ObstacleTo(Section([]), MachineWith(false, "bwrap")));

            image.CreateSubdirectory("usr");
            Assert.Equal(
                $"The engine is {engine} (asked for by Platform:Engine), but bubblewrap is not on the PATH: run './platform setup'.",
                options.ObstacleTo(Section([]), MachineWith(false, "")));
            Assert.Null(options.ObstacleTo(Section([]), MachineWith(false, "bwrap")));
        }
        finally
        {
            image.Delete(recursive: true);
        }
    }

    [Fact]
    public void External_servers_are_refused_without_their_connection_strings()
    {
        var options = Read([new("Platform:Engine", "external")]);
        string? Obstacle(params string[] given) => options.ObstacleTo(
            new ConfigurationBuilder().AddInMemoryCollection(given.Select(name => KeyValuePair.Create($"ConnectionStrings:{name}", (string?)"there"))).Build(),
            MachineWith(false, ""));

        Assert.Equal("The engine is external, but ConnectionStrings:platform is not set.", Obstacle());
        Assert.Equal("The engine is external, but ConnectionStrings:cache is not set.", Obstacle("platform"));
        Assert.Null(Obstacle("platform", "cache"));
    }

    [Fact]
    public void A_taken_port_is_refused_before_anything_starts()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        var builder = DistributedApplication.CreateBuilder(
            new DistributedApplicationOptions { Args = [$"--Platform:ApiPort={port}"], DisableDashboard = true });

        var error = Assert.Throws<DistributedApplicationException>(() => PlatformOptions.From(builder));

        Assert.StartsWith($"Platform:ApiPort is {port}, but another program listens there", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Platform:Engine", "kubernetes")]
    [InlineData("Platform:ApiPort", "70000")]
    [InlineData("Platform:ApiPort", "http")]
    [InlineData("Platform:Seed", "perhaps")]
    [InlineData("Platform:Tls", "perhaps")]
    [InlineData("Platform:Audit:Enabled", "perhaps")]
    [InlineData("Platform:EncryptAtRest", "perhaps")]
    [InlineData("Platform:Mongo:Edition", "enterprise")]
    [InlineData("Platform:Mongo:Members", "2")]
    [InlineData("Platform:Mongo:Image", "mongo 8")]
    [InlineData("Platform:Redis:Image", "--privileged")]
    public void Unusable_value_is_refused_by_naming_its_key(string key, string value)
    {
        var error = Assert.Throws<DistributedApplicationException>(() => Read([new(key, value)]));

        Assert.StartsWith($"{key} is '{value}'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_is_kept_in_the_repository_of_the_app_host()
        => Assert.Equal("/repository/.platform/data", Read([]).DataDirectory);

    [Fact]
    public void An_audit_log_is_written_beside_the_data_by_the_members_that_are_gateways()
    {
        var options = Read([new("Platform:Engine", "documentdb"), new("Platform:Audit:Enabled", "true")]);
        Assert.True(options.Audit);
        Assert.Equal(("/repository/.platform/data/audit", "/repository/.platform/data/audit-keys"), (options.AuditDirectory, options.AuditKeyDirectory));
        Assert.False(Read([new("Platform:Engine", "documentdb"), new("Platform:Audit:Enabled", "false")]).Audit);
        Assert.True(Read([new("Platform:Engine", "documentdb")]).Audit);
        Assert.False(Read([new("Platform:Engine", "external"), new("Platform:Audit:Enabled", "true")]).Audit);
        Assert.Equal("/var/log/audit", Read([new("Platform:Audit:Directory", "/var/log/audit")]).AuditDirectory);
    }

    [Fact]
    public void Stack_file_is_off_unless_it_is_named()
        => Assert.Null(Read([]).StackFile);

    [Theory]
    [InlineData(null, "")]
    [InlineData("", "")]
    [InlineData("backup", "Backup")]
    [InlineData(" Backup ,", "Backup")]
    [InlineData("monitoring", "Monitoring")]
    public void Parts_are_those_that_are_named(string? value, string expected)
        => Assert.Equal(expected, string.Join(',', Read([new("Platform:Parts", value)]).Parts));

    [Fact]
    public void All_parts_are_added_by_one_word() => Assert.Equal(Enum.GetValues<Part>(), Read([new("Platform:Parts", "All")]).Parts);

    [Theory]
    [InlineData("backups")]
    [InlineData("0")]
    public void A_part_that_there_is_not_is_refused(string value)
        => Assert.Equal(
            $"Platform:Parts has '{value}', but must be of these: backup, monitoring, all.",
            Assert.Throws<DistributedApplicationException>(() => Read([new("Platform:Parts", value)])).Message);

    // [part monitoring]
    [Fact]
    public void Monitoring_without_its_image_is_refused_on_every_engine()
        => Assert.Equal(
            "Platform:Parts has monitoring, but the monitoring image is missing at /no/image: run './platform setup --with monitoring'.",
            Read([new("Platform:Engine", "external"), new("Platform:Parts", "monitoring"), new("Platform:MonitoringImage", "/no/image")])
                .ObstacleTo(Section([]), MachineWith(true, "bwrap")));

    // [end of part]
    [Theory]
    [InlineData("00:00:00.5")]
    [InlineData("1.00:00:00")]
    [InlineData("often")]
    public void An_interval_that_cannot_be_is_refused(string value)
        => Assert.Equal(
            $"Platform:Monitoring:Interval is '{value}', but must be from 00:00:01 to 00:05:00.",
            Assert.Throws<DistributedApplicationException>(() => Read([new("Platform:Monitoring:Interval", value)])).Message);

    // [part backup]
    [Theory]
    [InlineData("mongod")]
    [InlineData("containers")]
    [InlineData("external")]
    public void Backups_of_an_engine_that_has_none_yet_are_refused(string engine)
        => Assert.StartsWith(
            $"Platform:Parts has backup, but the engine is {engine} (asked for by Platform:Engine), whose backups are not supported yet",
            Read([new("Platform:Engine", engine), new("Platform:Parts", "backup")], "mongod mongosh", runsContainers: true)
                .ObstacleTo(Section([]), MachineWith(true, "bwrap")),
            StringComparison.Ordinal);

    // [end of part]
    [Fact]
    public void Backups_lie_beside_the_data_of_a_checkout_and_in_a_data_directory_that_was_named()
    {
        Assert.Equal("/repository/.platform/backup", Read([]).BackupDirectory);
        Assert.Equal("/elsewhere/backup", Read([new("Platform:DataDirectory", "/elsewhere")]).BackupDirectory);
        Assert.Equal("/disk", Read([new("Platform:DataDirectory", "/elsewhere"), new("Platform:Backup:Directory", "/disk")]).BackupDirectory);
    }

    [Theory]
    [InlineData("documentdb", "community", "", null)]
    [InlineData("containers", "percona", "", null)]
    [InlineData("containers", "community", "", "Platform:EncryptAtRest is true, but MongoDB Community cannot encrypt its data: use --Platform:Mongo:")]
    [InlineData("mongod", "community", "", "Platform:EncryptAtRest is true, but the engine mongod runs what this machine has, and MongoDB Community")]
    [InlineData("external", "community", "", "Platform:EncryptAtRest is for servers that the graph runs, but the engine is external: ")]
    [InlineData("documentdb", "community", "backup", "Platform:Parts has backup, but Platform:EncryptAtRest is true: ")]
    [InlineData("documentdb", "percona", "", "Platform:Mongo:Edition is percona, which the engine containers runs, but the engine is documentdb (")]
    public void Encryption_at_rest_is_refused_where_nobody_can_do_it(string engine, string edition, string parts, string? obstacle)
    {
        var image = Directory.CreateTempSubdirectory("image-");
        try
        {
            image.CreateSubdirectory("usr");
            var said = Read(
                [
                    new("Platform:Engine", engine), new("Platform:EncryptAtRest", "true"), new("Platform:Mongo:Edition", edition), new("Platform:Parts", parts),
                    new("Platform:ServerImage", image.FullName),
                ],
                "mongod mongosh",
                runsContainers: true).ObstacleTo(Section([]), MachineWith(true, "mongod mongosh bwrap"));

            Assert.Equal(obstacle is null, said is null);
            Assert.StartsWith(obstacle ?? "", said ?? "", StringComparison.Ordinal);
        }
        finally
        {
            image.Delete(recursive: true);
        }
    }

    [Fact]
    public void A_machine_that_cannot_encrypt_says_why_in_a_sentence()
    {
        var machine = MachineWith(false, "bwrap") with { WhyNotEncrypt = (_, image) => $"there is no /dev/fuse for {image}" };
        Assert.Equal(
            "Platform:EncryptAtRest is true, but there is no /dev/fuse for /image.",
            Read([new("Platform:Engine", "documentdb"), new("Platform:EncryptAtRest", "true"), new("Platform:ServerImage", "/image")])
                .ObstacleTo(Section([]), machine));
        Assert.DoesNotContain(
            "EncryptAtRest",
            Read([new("Platform:Engine", "documentdb"), new("Platform:ServerImage", "/image")]).ObstacleTo(Section([]), machine) ?? "",
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_pass_phrase_lies_with_the_data_unless_it_is_put_elsewhere()
    {
        Assert.Equal("/repository/.platform/data/secrets/at-rest.key", Read([]).PassPhraseFile);
        Assert.Equal("/stick/phrase", Read([new("Platform:PassPhraseFile", "/stick/phrase")]).PassPhraseFile);
    }

    private static PlatformOptions Read(KeyValuePair<string, string?>[] settings, string programs = "", bool runsContainers = false)
        => PlatformOptions.From(Section(settings), "/repository/AppHost/", MachineWith(runsContainers, programs));

    private static Machine MachineWith(bool runsContainers, string programs, string? obstacle = null, bool isLinux = true)
        => new(() => new ContainerRuntime(runsContainers ? "docker" : null, obstacle), programs.Split(' ').Contains, isLinux);

    private static IConfigurationSection Section(KeyValuePair<string, string?>[] settings)
        => new ConfigurationBuilder().AddInMemoryCollection(settings).Build().GetSection("Platform");
}
