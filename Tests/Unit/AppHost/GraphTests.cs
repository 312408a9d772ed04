using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;
using Platform.AppHost.Backup;
using Platform.AppHost.Mongo;
using Platform.AppHost.Redis;
using Platform.AppHost.Settings;
using Platform.AppHost.Stack;
using Platform.Hosting.Mongo;
using Xunit;

namespace Platform.Tests.Unit.AppHost;

/// <summary>The graph as data: built for each engine, and nothing started.</summary>
public sealed class GraphTests
{
    [Fact]
    public async Task Containers_run_three_members_with_keyfile_on_ports_that_are_the_same_inside_and_outside()
    {
        var builder = CreateBuilder();
        var mongo = builder.AddMongoReplicaSet(ResourceNames.Mongo, Options(Engine.Containers));

        var container = Assert.IsType<MongoDBServerResource>(Assert.Single(mongo.Resource.Servers));
        var endpoints = container.Annotations.OfType<EndpointAnnotation>().ToList();
        Assert.Equal(["tcp", "member-2", "member-3"], endpoints.Select(endpoint => endpoint.Name));
        Assert.All(endpoints, endpoint => Assert.Equal(endpoint.Port, endpoint.TargetPort));
        Assert.All(endpoints, endpoint => Assert.False(endpoint.IsProxied));
        Assert.Equal(3, endpoints.Select(endpoint => endpoint.Port).Distinct().Count());

        var environment = await EnvironmentOf(builder, container);
        Assert.Equal(MongoNames.ReplicaSet, environment["MONGO_REPLICA_SET"]);
        Assert.Equal(string.Join(' ', endpoints.Select(endpoint => endpoint.Port)), environment["MONGO_PORTS"]);
        Assert.True(Assert.IsType<ParameterResource>(environment["MONGO_KEYFILE"]).Secret);
        Assert.Same(mongo.Resource.Password, environment["MONGO_ROOT_PASSWORD"]);
    }

    [Fact]
    public async Task The_container_of_MongoDB_is_a_pinned_image_on_a_volume_that_runs_the_script_of_this_repository()
    {
        var builder = CreateBuilder();
        var mongo = builder.AddMongoReplicaSet(ResourceNames.Mongo, Options(Engine.Containers));
        var container = Assert.IsType<MongoDBServerResource>(Assert.Single(mongo.Resource.Servers));

        var image = Assert.Single(container.Annotations.OfType<ContainerImageAnnotation>());
        Assert.Equal(("docker.io", "library/mongo", MongoImage.Digest, null), (image.Registry, image.Image, image.SHA256, image.Tag));
        Assert.Matches("^[0-9a-f]{64}$", MongoImage.Digest);
        var volume = Assert.Single(container.Annotations.OfType<ContainerMountAnnotation>());
        Assert.Equal((ContainerMountType.Volume, "/data/db", false), (volume.Type, volume.Target, volume.IsReadOnly));
        Assert.Equal(DataVolume.NameOf("/data", "mongo"), volume.Source);
        Assert.Equal("/bin/bash", container.Entrypoint);
        Assert.Equal(["/replica-set/mongod-replica-set", "/data/db"], await ArgumentsOf(container));

        // The script goes into the container by itself: nothing of the host is mounted.
        var files = Assert.Single(container.Annotations.OfType<ContainerFileSystemCallbackAnnotation>());
        Assert.Equal("/replica-set", files.DestinationPath);
        await using var app = builder.Build();
        var script = Assert.IsType<ContainerFile>(Assert.Single(await files.Callback(
            new ContainerFileSystemCallbackContext { Model = container, Services = app.Services }, TestContext.Current.CancellationToken)));
        Assert.Equal("mongod-replica-set", script.Name);
        Assert.StartsWith("#!", script.Contents, StringComparison.Ordinal);
    }

    [Fact]
    public void A_volume_belongs_to_a_data_directory_and_so_to_a_checkout_or_a_test()
    {
        Assert.Equal(DataVolume.NameOf("/one/.platform/data", "mongo"), DataVolume.NameOf("/one/.platform/data", "mongo"));
        string[] names =
        [
            DataVolume.NameOf("/one/.platform/data", "mongo"), DataVolume.NameOf("/two/.platform/data", "mongo"),
            DataVolume.NameOf("/one/.platform/data", "cache"), DataVolume.NameOf("/tmp/platform-test-1", "mongo"),
        ];
        Assert.Equal(names.Length, names.Distinct().Count());
        // What Docker takes for a name: https://docs.docker.com/reference/cli/docker/volume/create/
        Assert.All(names, name => Assert.Matches("^platform-[0-9a-f]{12}-[a-z]+$", name));
    }

    [Fact]
    public async Task The_container_of_MongoDB_listens_to_its_host_and_knows_its_user_by_the_environment()
    {
        var builder = CreateBuilder();
        var mongo = builder.AddMongoReplicaSet(ResourceNames.Mongo, Options(Engine.Containers));

        var environment = await EnvironmentOf(builder, Assert.Single(mongo.Resource.Servers));

        Assert.Equal("0.0.0.0", environment["MONGO_BIND_ADDRESS"]);
        Assert.Equal(MongoNames.RootUser, environment["MONGO_ROOT_USERNAME"]);
        Assert.Equal(
            $"Restore the AppHost's user secret Parameters:mongo-password, or remove the volume {DataVolume.NameOf("/data", "mongo")} "
                + $"('docker volume rm {DataVolume.NameOf("/data", "mongo")}') and with it the data.",
            environment["MONGO_WAYS_OUT"]);
        Assert.Contains("replicaSet=rs0", mongo.Resource.ConnectionStringExpression.Format, StringComparison.Ordinal);
        Assert.Equal(3, mongo.Resource.ConnectionStringExpression.Format.Split(',').Length); // members
    }

    [Fact]
    public void Images_of_a_mirror_take_the_place_of_the_official_ones()
    {
        var builder = CreateBuilder();
        var options = Options(Engine.Containers) with
        {
            MongoImage = "mirror.example:5000/team/mongo:8.0.28", RedisImage = $"mirror.example/redis@sha256:{RedisImage.Digest}",
        };
        builder.AddMongoReplicaSet(ResourceNames.Mongo, options);
        builder.AddCache(ResourceNames.Cache, options);

        Assert.Equal("mirror.example:5000/team/mongo:8.0.28", NameOf(builder.Resources.OfType<MongoDBServerResource>().Single()));
        Assert.Equal(options.RedisImage, NameOf(builder.Resources.OfType<RedisResource>().Single()));

        static string? NameOf(ContainerResource container) => container.TryGetContainerImageName(out var name) ? name : null;
    }

    [Fact]
    public async Task The_container_of_Redis_is_a_pinned_image_on_a_volume_and_its_password_is_no_argument()
    {
        var builder = CreateBuilder($"--Parameters:{ResourceNames.Cache}-password=s3cr3t");
        builder.AddCache(ResourceNames.Cache, Options(Engine.Containers));
        var redis = builder.Resources.OfType<RedisResource>().Single();

        var image = Assert.Single(redis.Annotations.OfType<ContainerImageAnnotation>());
        Assert.Equal(("docker.io", "library/redis", RedisImage.Digest, null), (image.Registry, image.Image, image.SHA256, image.Tag));
        Assert.Matches("^[0-9a-f]{64}$", RedisImage.Digest);
        var volume = Assert.Single(redis.Annotations.OfType<ContainerMountAnnotation>());
        Assert.Equal((ContainerMountType.Volume, "/data", false), (volume.Type, volume.Target, volume.IsReadOnly));
        Assert.Equal(DataVolume.NameOf("/data", "cache"), volume.Source);
        Assert.DoesNotContain("s3cr3t", string.Join(' ', await ArgumentsOf(redis)), StringComparison.Ordinal);
        Assert.Equal(["exec", "redis-server", "/platform/redis.conf", "--requirepass"], (await ArgumentsOf(redis)).Take(4));
        Assert.Contains((await EnvironmentOf(builder, redis)).Values, value => ReferenceEquals(value, redis.PasswordParameter));

        // The same file as the script of the other engines reads.
        var files = Assert.Single(redis.Annotations.OfType<ContainerFileSystemCallbackAnnotation>());
        Assert.Equal("/platform", files.DestinationPath);
        var file = Assert.IsType<ContainerFile>(Assert.Single(await files.Callback(
            new ContainerFileSystemCallbackContext { Model = redis, Services = null! }, TestContext.Current.CancellationToken)));
        var configuration = await File.ReadAllTextAsync(
            Path.Combine(Repository.Root, "AppHost", "Native", "redis.conf"), TestContext.Current.CancellationToken);
        Assert.Equal("redis.conf", file.Name);
        Assert.StartsWith(configuration, file.Contents, StringComparison.Ordinal);
        Assert.Contains("\nappendonly yes\n", configuration, StringComparison.Ordinal);
    }

    [Fact]
    public async Task In_the_container_too_programs_are_users_of_their_own_whose_passwords_are_there_as_hashes_alone()
    {
        var builder = CreateBuilder(
            $"--Parameters:{ResourceNames.Cache}-api-password=s3cr3t", $"--Parameters:{ResourceNames.Cache}-monitor-password=s3cr3t");
        var cache = builder.AddCache(ResourceNames.Cache, Options(Engine.Containers) with { RedisMaxMemoryPolicy = "allkeys-lfu" });
        var api = builder.AddExecutable("service", "true", ".").WithCache(cache);
        var redis = builder.Resources.OfType<RedisResource>().Single();

        var files = Assert.Single(redis.Annotations.OfType<ContainerFileSystemCallbackAnnotation>());
        var file = Assert.IsType<ContainerFile>(Assert.Single(await files.Callback(
            new ContainerFileSystemCallbackContext { Model = redis, Services = null! }, TestContext.Current.CancellationToken)));

        var rules = await File.ReadAllLinesAsync(
            Path.Combine(Repository.Root, "AppHost", "Native", "redis-users.acl"), TestContext.Current.CancellationToken);
        // SHA-256 of s3cr3t.
        const string Hash = "#4e738ca5563c06cfd0018299933d58db1dd8bf97f6973dc99bf6cdc64b5550bd";
        Assert.EndsWith(
            $"\nmaxmemory-policy allkeys-lfu\nuser api on {Hash} {rules[0]["api ".Length..]}\nuser monitor on {Hash} {rules[1]["monitor ".Length..]}\n",
            file.Contents,
            StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr3t", file.Contents, StringComparison.Ordinal);
        var login = Assert.IsType<ReferenceExpression>((await EnvironmentOf(builder, api.Resource))["ConnectionStrings__cache"]);
        Assert.Contains(",user=api,password=", login.Format, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cluster_is_six_servers_with_ports_and_data_of_their_own_below_one_resource_that_names_them_all()
    {
        var builder = CreateBuilder();
        var cache = builder.AddCache(ResourceNames.Cache, Options(Engine.DocumentDb) with { RedisMode = RedisMode.Cluster });
        var service = builder.AddExecutable("service", "true", ".").WithCache(cache);

        var cluster = Assert.IsType<RedisClusterResource>(cache.Resource);
        var environments = await ResourceEnvironments.OfAsync(builder, [.. cluster.Nodes, service.Resource]);
        Assert.Equal(Enumerable.Range(1, 6).Select(ResourceNames.CacheNode), cluster.Nodes.Select(node => node.Name));
        Assert.Equal(12, cluster.Addresses.SelectMany(address => (int[])[address.Port, address.BusPort]).Distinct().Count());
        foreach (var (i, node) in cluster.Nodes.Index())
        {
            Assert.Equal(["/image", $"/data/redis-cluster/{i + 1}"], await ArgumentsOf(node));
            var endpoint = Assert.Single(node.Annotations.OfType<EndpointAnnotation>());
            Assert.Equal((cluster.Addresses[i].Port, false), (endpoint.Port, endpoint.IsProxied));
            Assert.Equal($"{cluster.Addresses[i].BusPort}", environments[i]["REDIS_CLUSTER_PORT"]);
            Assert.True(Assert.IsType<ParameterResource>(environments[i]["REDIS_REPLICA_PASSWORD"]).Secret);
        }

        Assert.Equal(6, cluster.AllAddresses.ValueProviders.Count);
        var login = Assert.IsType<ReferenceExpression>(environments[^1]["ConnectionStrings__cache"]);
        Assert.Contains(",user=api,password=", login.Format, StringComparison.Ordinal);
        Assert.Equal(
            ["service", "cache-1 cache-2 cache-3 cache-4 cache-5 cache-6"],
            OrderedStop.Ranks([.. builder.Resources]).Select(rank => string.Join(' ', rank.Select(resource => resource.Name).Order(StringComparer.Ordinal))));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task DocumentDb_members_know_each_other_have_data_of_their_own_and_the_password_as_a_secret(int members)
    {
        var builder = CreateBuilder();
        var mongo = builder.AddMongoReplicaSet(ResourceNames.Mongo, Options(Engine.DocumentDb) with { MongoMembers = members });

        Assert.Equal(members, mongo.Resource.Servers.Count);
        var environments = await ResourceEnvironments.OfAsync(builder, mongo.Resource.Servers);
        var ports = new List<string>();
        foreach (var (i, server) in mongo.Resource.Servers.Index())
        {
            var member = Assert.IsType<ExecutableResource>(server);
            var environment = environments[i];
            var endpoint = member.Annotations.OfType<EndpointAnnotation>().Single(endpoint => endpoint.Name == "mongodb");
            ports.Add($"127.0.0.1:{endpoint.Port}");
            Assert.False(endpoint.IsProxied);
            Assert.Equal($"{i + 1}", environment[SettingNames.GatewayMember]);
            Assert.Equal(i == 0 ? "/data/postgres" : $"/data/postgres-{i + 1}", environment[SettingNames.GatewayDataDirectory]);
            Assert.Equal("/data/postgres-sockets", environment[SettingNames.GatewaySocketDirectory]);
            Assert.Same(mongo.Resource.Password, environment[SettingNames.GatewayRootPassword]);
        }

        Assert.All(environments, environment => Assert.Equal(string.Join(',', ports), environment[SettingNames.GatewayMembers]));
    }

    [Fact]
    public async Task Mongod_of_this_machine_runs_the_same_script_on_the_loopback_address_and_Redis_comes_from_the_image()
    {
        var builder = CreateBuilder();
        var mongo = builder.AddMongoReplicaSet(ResourceNames.Mongo, Options(Engine.Mongod));
        builder.AddCache(ResourceNames.Cache, Options(Engine.Mongod));

        var servers = Assert.IsType<ExecutableResource>(Assert.Single(mongo.Resource.Servers));

        Assert.EndsWith("/mongod-replica-set", servers.Command, StringComparison.Ordinal);
        Assert.Equal(["/data/mongod"], await ArgumentsOf(servers));
        Assert.Equal(3, servers.Annotations.OfType<EndpointAnnotation>().Select(endpoint => endpoint.Port).Distinct().Count());
        Assert.Equal("127.0.0.1", (await EnvironmentOf(builder, servers))["MONGO_BIND_ADDRESS"]);
        Assert.Single(builder.Resources.OfType<RedisServerResource>());
    }

    [Theory]
    [InlineData("Containers", "mongod, from the container image mongo:8.0")]
    [InlineData("Mongod", "mongod of this machine")]
    [InlineData("DocumentDb", "DocumentDB on PostgreSQL, behind a gateway")]
    [InlineData("External", "none of this graph")]
    public void The_dashboard_shows_which_engine_it_is_and_why(string engine, string servers)
    {
        var mongo = CreateBuilder().AddMongoReplicaSet(ResourceNames.Mongo, Options(Enum.Parse<Engine>(engine)));

        var properties = Assert.Single(mongo.Resource.Annotations.OfType<ResourceSnapshotAnnotation>()).InitialSnapshot.Properties
            .ToDictionary(property => property.Name, property => property.Value);

        Assert.Equal($"{engine.ToLowerInvariant()} (asked for by the test)", properties[CustomResourceKnownProperties.Source]);
        Assert.Equal(servers, properties["servers"]);
    }

    [Fact]
    public void Passwords_are_secret_parameters_with_a_generated_default()
    {
        var builder = CreateBuilder();
        builder.AddMongoReplicaSet(ResourceNames.Mongo, Options(Engine.DocumentDb));
        builder.AddCache(ResourceNames.Cache, Options(Engine.DocumentDb));

        var parameters = builder.Resources.OfType<ParameterResource>().ToList();

        Assert.Contains(parameters, parameter => parameter.Name == "mongo-password");
        Assert.Contains(parameters, parameter => parameter.Name == "cache-password");
        Assert.All(parameters, parameter => Assert.True(parameter.Secret));
        Assert.All(parameters, parameter => Assert.NotNull(parameter.Default));
    }

    [Fact]
    public async Task Redis_gets_its_password_by_environment_and_never_by_argument()
    {
        var builder = CreateBuilder();
        builder.AddCache(ResourceNames.Cache, Options(Engine.DocumentDb));

        var redis = builder.Resources.OfType<RedisServerResource>().Single();
        var environment = await EnvironmentOf(builder, redis);

        Assert.True(Assert.IsType<ParameterResource>(environment["REDIS_PASSWORD"]).Secret);
        Assert.Equal(["/image", "/data/redis"], await ArgumentsOf(redis));
    }

    [Fact]
    public async Task Programs_reach_the_database_as_users_of_their_own_and_only_the_job_that_makes_them_as_the_administrator()
    {
        var builder = CreateBuilder();
        var database = builder.AddMongoReplicaSet(ResourceNames.Mongo, Options(Engine.DocumentDb)).AddReplicaSetDatabase(ResourceNames.Database);
        string[] programs = [.. Platform.Data.Access.AccessCatalogue.All.Select(principal => principal.Name)];
        var access = database.AddAccess<Projects.Migrator>(programs)!;
        var services = programs
            .Select(program => builder.AddExecutable(program, "program", ".").WithDatabase(database).WaitForAccess(database, access)).ToList();

        var environments = await ResourceEnvironments.OfAsync(builder, [access.Resource, .. services.Select(service => service.Resource)]);
        foreach (var (service, environment) in services.Zip(environments.Skip(1)))
        {
            var connection = Assert.IsType<ReferenceExpression>(environment[$"ConnectionStrings__{ResourceNames.Database}"]);
            var password = Assert.Single(connection.ValueProviders.OfType<ParameterResource>());
            Assert.Equal($"{ResourceNames.Mongo}-{service.Resource.Name}-password", password.Name);
            Assert.True(password.Secret);
            Assert.StartsWith($"mongodb://{ResourceNames.Database}-{service.Resource.Name}:", connection.Format, StringComparison.Ordinal);
            Assert.Same(password, environments[0][SettingNames.PasswordOf(service.Resource.Name)]);
            Assert.Contains(service.Resource.Annotations.OfType<WaitAnnotation>(), wait => wait.Resource == access.Resource);
        }

        Assert.Equal(["access", "apply"], await ArgumentsOf(access.Resource));
    }

    [Fact]
    public void The_graph_gives_users_to_whom_the_access_catalogue_names()
    {
        var program = System.IO.File.ReadAllText(Path.Combine(Repository.Root, "AppHost", "Program.cs"));
        var given = program.Split("AddAccess<Projects.Migrator>(", 2)[1].Split(')', 2)[0].Split(", ")
            .Select(name => name.Replace("ResourceNames.", "", StringComparison.Ordinal));
        Assert.Equal(Platform.Data.Access.AccessCatalogue.All.Select(principal => principal.Name), given.Select(name => name.ToLowerInvariant()));
    }

    [Fact]
    public async Task External_engine_runs_no_server_and_hands_on_the_given_connection_strings()
    {
        const string Given = "mongodb://db.example:27017/platform?replicaSet=rs7";
        var builder = CreateBuilder($"--ConnectionStrings:{ResourceNames.Database}={Given}", $"--ConnectionStrings:{ResourceNames.Cache}=redis.example");

        var database = builder.AddMongoReplicaSet(ResourceNames.Mongo, Options(Engine.External)).AddReplicaSetDatabase(ResourceNames.Database);
        builder.AddCache(ResourceNames.Cache, Options(Engine.External));

        Assert.Empty(database.Resource.Parent.Servers);
        Assert.Equal(Given, await database.Resource.ConnectionStringExpression.GetValueAsync(TestContext.Current.CancellationToken));
        Assert.DoesNotContain(builder.Resources, resource => resource is ExecutableResource or ContainerResource or ProjectResource);
    }

    [Fact]
    public void Processes_stop_before_the_servers_that_they_use()
    {
        var builder = CreateBuilder();
        var mongo = builder.AddMongoReplicaSet(ResourceNames.Mongo, Options(Engine.DocumentDb));
        var database = mongo.AddReplicaSetDatabase(ResourceNames.Database);
        var cache = builder.AddCache(ResourceNames.Cache, Options(Engine.DocumentDb));
        var job = builder.AddExecutable("job", "true", ".").WaitFor(database);
        builder.AddExecutable("service", "true", ".").WithReference(cache).WaitForCompletion(job);
        builder.AddExecutable("apart", "true", ".");

        Assert.Equal(
            ["service apart", "cache job", "mongo-1 mongo-2 mongo-3"],
            // Without the programs that Aspire adds to build a project again.
            OrderedStop.Ranks([.. builder.Resources.Where(resource => !resource.Name.EndsWith("-rebuilder", StringComparison.Ordinal))]).Select(rank =>
                string.Join(' ', rank.Select(resource => resource.Name).OrderBy(name => name == "apart").ThenBy(name => name, StringComparer.Ordinal))));
    }

    [Fact]
    public void Resources_in_a_circle_have_no_order()
    {
        var builder = CreateBuilder();
        var one = builder.AddExecutable("one", "true", ".");
        var two = builder.AddExecutable("two", "true", ".").WithReferenceRelationship(one);
        one.WithReferenceRelationship(two);

        var error = Assert.Throws<InvalidOperationException>(() => OrderedStop.Ranks([.. builder.Resources]));

        Assert.EndsWith("in a circle: one, two.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_of_a_console_is_shown_without_the_time_before_it()
    {
        Assert.Equal("12 stores", ConsoleLine.Text("2026-11-24T18:35:51.8450000Z 12 stores"));
        Assert.Equal("12 stores", ConsoleLine.Text("2026-11-24T18:35:51.845Z 12 stores"));
        Assert.Equal("", ConsoleLine.Text("2026-11-24T18:35:51.8450000Z"));
        Assert.Equal("Z 12 stores", ConsoleLine.Text("Z 12 stores"));
        Assert.Equal("", ConsoleLine.Text(""));
    }

    [Fact]
    public void Socket_is_beside_the_data()
        => Assert.Equal("/home/someone/data/postgres-sockets", SocketDirectories.For("platform", "/home/someone/data/postgres"));

    [Fact]
    public void Socket_of_data_with_a_long_path_is_elsewhere_and_the_same_at_every_start()
    {
        var data = "/home/someone/" + new string('x', 200);
        var directory = SocketDirectories.For("platform", data);

        Assert.Equal(directory, SocketDirectories.For("platform", data));
        Assert.NotEqual(directory, SocketDirectories.For("platform", data + "y"));
        Assert.True(Path.Combine(directory, ".s.PGSQL.5432.lock").Length <= 107, directory);
    }

    // [part backup]
    [Fact]
    public async Task With_backups_every_member_archives_and_the_agent_knows_all_of_them()
    {
        var builder = CreateBuilder();
        var options = Options(Engine.DocumentDb) with { BackupDirectory = "/backups" };
        var mongo = builder.AddMongoReplicaSet(ResourceNames.Mongo, options);
        var password = builder.AddParameter("api-password", "of the API", secret: true).Resource;
        var agent = builder.AddBackup(ResourceNames.Backup, mongo, options, password);

        var environments = await ResourceEnvironments.OfAsync(builder, [agent.Resource, .. mongo.Resource.Servers]);
        var passPhrase = Assert.IsType<ParameterResource>(environments[0][SettingNames.BackupPassPhrase]);
        Assert.True(passPhrase.Secret);
        Assert.Equal("/backups", environments[0][SettingNames.BackupDirectory]);
        Assert.Same(password, environments[0][SettingNames.BackupApiPassword]);
        Assert.Equal(4, environments.Count);
        for (var member = 0; member < 3; member++)
        {
            var server = environments[member + 1];
            Assert.Equal("/backups/repository", server[SettingNames.ArchiveRepository]);
            Assert.Same(passPhrase, server[SettingNames.ArchivePassPhrase]);
            Assert.Equal(server[SettingNames.GatewayDataDirectory], environments[0][$"{SettingNames.BackupMembers}{member}"]);
            Assert.Equal(server[SettingNames.GatewaySocketDirectory], environments[0][SettingNames.BackupSocketDirectory]);
            // The agent finds their sockets by the same ports.
            Assert.Equal(Platform.Gateway.Settings.GatewayOptions.PostgresPort(member + 1), Platform.Backup.PgBackRest.Servers.PortOf(member + 1));
        }
    }

    [Fact]
    public async Task Settings_of_the_copy_of_backups_reach_the_agent_and_its_secrets_are_masked_and_in_no_argument()
    {
        var builder = CreateBuilder();
        builder.Configuration.AddInMemoryCollection([
            new("Backup:KeepDaily", "14"), new("Backup:S3:Bucket", "backups"), new("Backup:S3:SecretAccessKeyFile", "/secrets/s3"),
            new("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"), new("AWS_SECRET_ACCESS_KEY", "of Amazon"), new("AWS_SESSION_TOKEN", "of a session"),
        ]);
        var options = Options(Engine.DocumentDb) with { BackupDirectory = "/backups" };
        var agent = builder.AddBackup(ResourceNames.Backup, builder.AddMongoReplicaSet(ResourceNames.Mongo, options), options);

        var environment = (await ResourceEnvironments.OfAsync(builder, [agent.Resource]))[0];
        Assert.Equal("14", environment["Backup__KeepDaily"]);
        Assert.Equal("backups", environment[SettingNames.BackupBucket]);
        Assert.Equal("/secrets/s3", environment["Backup__S3__SecretAccessKeyFile"]);
        Assert.Equal("AKIAEXAMPLE", environment["AWS_ACCESS_KEY_ID"]);
        foreach (var name in (string[])["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
        {
            Assert.True(Assert.IsType<ParameterResource>(environment[name]).Secret);
        }

        var arguments = new List<object>();
        foreach (var annotation in agent.Resource.Annotations.OfType<CommandLineArgsCallbackAnnotation>())
        {
            await annotation.Callback(new CommandLineArgsCallbackContext(arguments, CancellationToken.None));
        }

        Assert.Equal(["agent"], arguments);
    }

    // [end of part]
    private static IDistributedApplicationBuilder CreateBuilder(params string[] args)
        => DistributedApplication.CreateBuilder(new DistributedApplicationOptions { Args = args, DisableDashboard = true });

    private static PlatformOptions Options(Engine engine)
        => new() { EngineChoice = new(engine, "asked for by the test"), DataDirectory = "/data", ServerImage = "/image" };

    private static async Task<Dictionary<string, object>> EnvironmentOf(IDistributedApplicationBuilder builder, IResource resource)
        => (await ResourceEnvironments.OfAsync(builder, [resource])).Single();

    private static async Task<List<object>> ArgumentsOf(IResource resource)
    {
        var context = new CommandLineArgsCallbackContext([]);
        foreach (var annotation in resource.Annotations.OfType<CommandLineArgsCallbackAnnotation>())
        {
            await annotation.Callback(context);
        }

        return [.. context.Args];
    }
}
