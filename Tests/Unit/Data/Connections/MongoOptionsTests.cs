using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using MongoDB.Driver;
using MongoDB.Driver.Core.Compression;
using Platform.Mongo.Connections;
using Xunit;

namespace Platform.Tests.Unit.Data.Connections;

public sealed class MongoOptionsTests
{
    private const string Servers = "mongodb://127.0.0.1:9/platform?replicaSet=rs0";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void The_defaults_reach_the_driver()
    {
        using var host = Build(Servers);

        var settings = host.Services.GetRequiredService<IMongoClient>().Settings;

        Assert.Equal(10, settings.MinConnectionPoolSize);
        Assert.Equal(100, settings.MaxConnectionPoolSize);
        Assert.Equal(2, settings.MaxConnecting);
        Assert.Equal(TimeSpan.FromSeconds(5), settings.WaitQueueTimeout);
        Assert.Equal(TimeSpan.FromSeconds(10), settings.ConnectTimeout);
        Assert.Equal(TimeSpan.FromSeconds(60), settings.SocketTimeout);
        Assert.Equal(TimeSpan.FromSeconds(30), settings.ServerSelectionTimeout);
        Assert.Equal(TimeSpan.FromSeconds(2), settings.HeartbeatInterval);
        Assert.Equal(TimeSpan.FromMinutes(5), settings.MaxConnectionIdleTime);
        Assert.Equal(ReadPreference.Primary, settings.ReadPreference);
        Assert.Equal(ReadConcern.Majority, settings.ReadConcern);
        Assert.Equal(WriteConcern.WMajority.With(journal: true), settings.WriteConcern);
        Assert.True(settings.RetryReads);
        Assert.True(settings.RetryWrites);
        Assert.Equal("orders", settings.ApplicationName);
        Assert.Empty(settings.Compressors);
        Assert.False(settings.UseTls);
        Assert.Equal("rs0", settings.ReplicaSetName);
    }

    [Fact]
    public void Configuration_wins_over_the_connection_string_and_that_over_the_service_and_that_over_the_defaults()
    {
        using var host = Build(
            Servers + "&maxPoolSize=60&waitQueueTimeoutMS=2000",
            options => (options.MaxPoolSize, options.WaitQueueTimeout, options.ConnectTimeout) = (50, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3)),
            ("Mongo:MaxPoolSize", "70"));

        var settings = host.Services.GetRequiredService<IMongoClient>().Settings;

        Assert.Equal(70, settings.MaxConnectionPoolSize);
        Assert.Equal(TimeSpan.FromSeconds(2), settings.WaitQueueTimeout);
        Assert.Equal(TimeSpan.FromSeconds(3), settings.ConnectTimeout);
        Assert.Equal(TimeSpan.FromSeconds(60), settings.SocketTimeout);
    }

    [Theory]
    [InlineData("minPoolSize=3", "MinPoolSize", "3")]
    [InlineData("maxPoolSize=30", "MaxPoolSize", "30")]
    [InlineData("maxConnecting=4", "MaxConnecting", "4")]
    [InlineData("waitQueueTimeoutMS=1500", "WaitQueueTimeout", "00:00:01.5000000")]
    [InlineData("connectTimeoutMS=1500", "ConnectTimeout", "00:00:01.5000000")]
    [InlineData("socketTimeoutMS=1500", "SocketTimeout", "00:00:01.5000000")]
    [InlineData("serverSelectionTimeoutMS=1500", "ServerSelectionTimeout", "00:00:01.5000000")]
    [InlineData("heartbeatFrequencyMS=1500", "HeartbeatInterval", "00:00:01.5000000")]
    [InlineData("maxIdleTimeMS=1500", "MaxIdleTime", "00:00:01.5000000")]
    [InlineData("readPreference=secondaryPreferred", "ReadPreference", "secondaryPreferred")]
    [InlineData("readConcernLevel=local", "ReadConcern", "local")]
    [InlineData("w=2", "WriteConcern", "2")]
    [InlineData("journal=false", "Journal", "False")]
    [InlineData("retryReads=false", "RetryReads", "False")]
    [InlineData("retryWrites=false", "RetryWrites", "False")]
    [InlineData("appName=till", "ApplicationName", "till")]
    [InlineData("compressors=zstd,zlib", "Compressors", "zstd,zlib")]
    [InlineData("tls=true", "Tls", "True")]
    public void Every_option_of_the_connection_string_is_taken_over_and_reaches_the_driver_as_if_configured(string option, string key, string value)
    {
        var connectionString = $"{Servers}&{option}";
        var read = new MongoOptions();
        read.ReadFrom(connectionString);
        Assert.Equal(value, Convert.ToString(typeof(MongoOptions).GetProperty(key)!.GetValue(read), System.Globalization.CultureInfo.InvariantCulture));

        using var said = Build(connectionString);
        using var configured = Build(Servers, null, ($"Mongo:{key}", value));
        Assert.Equal(Seen(configured), Seen(said));
        using var neither = Build(Servers);
        Assert.NotEqual(Seen(neither), Seen(said));
    }

    [Fact]
    public void Compressors_keep_their_order()
    {
        using var host = Build(Servers, null, ("Mongo:Compressors", "snappy,zstd,zlib"));

        Assert.Equal(
            [CompressorType.Snappy, CompressorType.ZStandard, CompressorType.Zlib],
            host.Services.GetRequiredService<IMongoClient>().Settings.Compressors.Select(compressor => compressor.Type));
    }

    [Theory]
    [InlineData("MaxPoolSize", "0", "Mongo:MaxPoolSize is 0, but must be from 1 to 10000.")]
    [InlineData("MinPoolSize", "101", "Mongo:MinPoolSize is 101, but must not be above Mongo:MaxPoolSize, which is 100.")]
    [InlineData("MaxConnecting", "0", "Mongo:MaxConnecting is 0, but must be from 1 to 100.")]
    [InlineData("HeartbeatInterval", "00:00:00.1", "Mongo:HeartbeatInterval is 00:00:00.1000000, but must be from 00:00:00.500 to 00:10:00.")]
    [InlineData("ReadPreference", "fastest", "Mongo:ReadPreference is fastest, but must be one of primary, primaryPreferred, secondary, secondaryPreferred, "
        + "nearest.")]
    [InlineData("WriteConcern", "", "Mongo:WriteConcern is empty, but must be text that matches [A-Za-z0-9_.-]{1,64}.")]
    [InlineData("WriteConcern", "0", "Mongo:WriteConcern is 0, but must acknowledge writes when they are to be journalled.")]
    [InlineData("Compressors", "lzma", "Mongo:Compressors is lzma, but must be text that matches ((zstd|snappy|zlib)(,(zstd|snappy|zlib))*)?.")]
    [InlineData("Gate:GrowAfter", "00:00:01", "Mongo:Gate:GrowAfter is 00:00:01, but must be below Mongo:Gate:QueueTimeout, which is 00:00:01.")]
    [InlineData("Gate:QueueTimeout", "00:00:00", "Mongo:Gate:QueueTimeout is 00:00:00, but must be from 00:00:00.001 to 00:01:00.")]
    [InlineData("Retry:Attempts", "0", "Mongo:Retry:Attempts is 0, but must be from 1 to 100.")]
    [InlineData("Retry:Delay", "00:00:05", "Mongo:Retry:Delay is 00:00:05, but must not be above Mongo:Retry:MaxDelay, which is 00:00:02.")]
    [InlineData("Breaker:FailureRatio", "1.5", "Mongo:Breaker:FailureRatio is 1.5, but must be from 0.01 to 1.")]
    public async Task A_wrong_setting_stops_the_start_with_a_sentence_that_names_it(string key, string value, string sentence)
    {
        using var host = Build(Servers, null, ($"Mongo:{key}", value));

        var thrown = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Cancellation));

        Assert.Equal([sentence], thrown.Failures);
    }

    [Theory]
    [InlineData("MaxPolSize", "10", "Mongo:MaxPolSize is no setting; did you mean Mongo:MaxPoolSize?")]
    [InlineData("maxpoolsize", "many", "Mongo:MaxPoolSize is many, but must be from 1 to 10000.")]
    [InlineData("Tls", "perhaps", "Mongo:Tls is perhaps, but must be true or false.")]
    [InlineData("Retry:Dealy", "00:00:01", "Mongo:Retry:Dealy is no setting; did you mean Mongo:Retry:Delay?")]
    [InlineData("Whatever", "1", "Mongo:Whatever is no setting; there are MinPoolSize, MaxPoolSize, ")]
    public async Task A_setting_that_does_not_exist_or_cannot_be_read_stops_the_start_in_one_sentence(string key, string value, string sentence)
    {
        using var host = Build(Servers, null, ($"Mongo:{key}", value));

        var thrown = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Cancellation));

        Assert.StartsWith(sentence, Assert.Single(thrown.Failures), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_authorities_of_the_connection_string_or_the_setting_are_trusted_alone_and_have_to_be_there()
    {
        var directory = Directory.CreateTempSubdirectory("mongo-tls-");
        try
        {
            var certificates = Platform.Hosting.Security.StackCertificates.Open(Path.Combine(directory.FullName, "a b&c"), TimeProvider.System);
            var file = Uri.EscapeDataString(certificates.CaFile);
            using var said = Build($"{Servers}&tls=true&tlsCAFile={file}");
            AssertTrusts(said);
            using var configured = Build(Servers + "&tls=true&tlsCAFile=%2Fnowhere", null, ("Mongo:TlsCaFile", certificates.CaFile));
            AssertTrusts(configured);
            using var neither = Build(Servers + "&tls=true");
            Assert.Null(neither.Services.GetRequiredService<IMongoClient>().Settings.SslSettings?.ServerCertificateValidationCallback);

            await AssertRefusedAsync(
                Build(Servers + "&tls=true&tlsCAFile=%2Fnowhere"), "Mongo:TlsCaFile: The certificate authorities in /nowhere cannot be read: ");
            await AssertRefusedAsync(
                Build($"{Servers}&tlsCAFile={file}"), $"Mongo:TlsCaFile is {certificates.CaFile}, but is for TLS, which Mongo:Tls turns on.");
        }
        finally
        {
            directory.Delete(recursive: true);
        }

        static void AssertTrusts(IHost host)
        {
            var settings = host.Services.GetRequiredService<IMongoClient>().Settings;
            Assert.IsType<TrustedAuthority>(settings.SslSettings.ServerCertificateValidationCallback.Target);
            Assert.True(settings.UseTls);
            Assert.False(settings.AllowInsecureTls);
        }

        static async Task AssertRefusedAsync(IHost host, string sentence)
        {
            using (host)
            {
                var thrown = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Cancellation));
                Assert.StartsWith(sentence, Assert.Single(thrown.Failures), StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void There_is_one_check_of_MongoDB_and_liveness_does_not_run_it()
    {
        using var host = Build(Servers);

        var check = Assert.Single(host.Services.GetRequiredService<IOptions<HealthCheckServiceOptions>>().Value.Registrations);

        Assert.Equal(MongoHealthCheck.Name, check.Name);
        Assert.DoesNotContain(ServiceDefaultsExtensions.LiveTag, check.Tags);
        Assert.IsType<MongoHealthCheck>(check.Factory(host.Services));
    }

    // Everything but logging and event handlers, which belong to one client each.
    private static string Seen(IHost host)
    {
        var settings = host.Services.GetRequiredService<IMongoClient>().Settings;
        return $"{settings};{string.Join(',', settings.Compressors.Select(compressor => compressor.Type))}";
    }

    private static IHost Build(string connectionString, Action<MongoOptions>? defaults = null, params (string Key, string Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ApplicationName = "orders" });
        builder.Configuration.AddInMemoryCollection(settings
            .Append((Key: "ConnectionStrings:platform", Value: connectionString))
            .Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)));
        builder.AddPlatformData(defaults);
        return builder.Build();
    }
}
