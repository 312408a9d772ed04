using System.Net;
using System.Net.Sockets;
using Aspire.Hosting;
using Microsoft.Extensions.Configuration;
using Platform.AppHost.Settings;
using Xunit;

namespace Platform.Tests.Unit.AppHost;

public sealed class PlatformOptionsTests
{
    [Theory]
    [InlineData(true, "Containers")]
    [InlineData(false, "Native")]
    public void Engine_auto_is_containers_only_where_a_runtime_answers(bool answers, string expected)
        => Assert.Equal(expected, Read([], answers).Engine.ToString());

    [Theory]
    [InlineData("NATIVE", "Native")]
    [InlineData("external", "External")]
    public void Named_engine_is_taken_without_asking_for_a_runtime(string value, string expected)
    {
        var options = PlatformOptions.From(
            Section([new("Platform:Engine", value)]), "/repository/AppHost", () => throw new InvalidOperationException("asked"));

        Assert.Equal(expected, options.Engine.ToString());
    }

    [Fact]
    public void Containers_without_a_runtime_are_refused_with_the_way_out()
    {
        var error = Assert.Throws<DistributedApplicationException>(() => Read([new("Platform:Engine", "containers")], containerRuntimeAnswers: false));

        Assert.Equal(
            "Platform:Engine is 'containers', but no container runtime answers: start Docker or Podman, or use --Platform:Engine=native.",
            error.Message);
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
    public void Unusable_value_is_refused_by_naming_its_key(string key, string value)
    {
        var error = Assert.Throws<DistributedApplicationException>(() => Read([new(key, value)]));

        Assert.StartsWith($"{key} is '{value}'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_is_kept_in_the_repository_of_the_app_host()
        => Assert.Equal("/repository/.platform/data", Read([]).DataDirectory);

    [Fact]
    public void Stack_file_is_off_unless_it_is_named()
        => Assert.Null(Read([]).StackFile);

    private static PlatformOptions Read(KeyValuePair<string, string?>[] settings, bool containerRuntimeAnswers = false)
        => PlatformOptions.From(Section(settings), "/repository/AppHost/", () => containerRuntimeAnswers);

    private static IConfigurationSection Section(KeyValuePair<string, string?>[] settings)
        => new ConfigurationBuilder().AddInMemoryCollection(settings).Build().GetSection("Platform");
}
