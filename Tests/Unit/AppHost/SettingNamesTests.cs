using Microsoft.Extensions.Configuration;
using Platform.Api.Callers;
using Platform.Api.Migrations;
using Platform.Api.Paging;
using Platform.Caching.Catalogue;
using Platform.Gateway.Settings;
using Xunit;

namespace Platform.Tests.Unit.AppHost;

/// <summary>The settings that the graph hands to services are those that the services read.</summary>
public sealed class SettingNamesTests
{
    [Fact]
    public void The_gateway_reads_what_it_is_handed()
    {
        var options = Read<GatewayOptions>(
            GatewayOptions.Section,
            (SettingNames.GatewayPort, "7"), (SettingNames.GatewayReplicaSet, "rs7"), (SettingNames.GatewayRootUsername, "root"),
            (SettingNames.GatewayRootPassword, "secret"), (SettingNames.GatewayMembers, "a:1"), (SettingNames.GatewayMember, "3"),
            (SettingNames.GatewayDataDirectory, "/data"), (SettingNames.GatewaySocketDirectory, "/sockets"),
            (SettingNames.GatewayServerImage, "/image"), (SettingNames.GatewayNativeScripts, "/scripts"),
            (SettingNames.GatewayTlsCertificateFile, "/certificate"), (SettingNames.GatewayTlsKeyFile, "/key"),
            (SettingNames.GatewayPassPhraseFile, "/phrase"));

        Assert.Equal((7, "rs7", "root", "secret"), (options.Port, options.ReplicaSet, options.RootUsername, options.RootPassword));
        Assert.Equal(("a:1", 3, "/data", "/sockets"), (options.Members, options.Member, options.DataDirectory, options.SocketDirectory));
        Assert.Equal(("/image", "/scripts"), (options.ServerImage, options.NativeScripts));
        Assert.Equal(("/certificate", "/key", "/phrase"), (options.TlsCertificateFile, options.TlsKeyFile, options.PassPhraseFile));
    }

    [Fact]
    public void The_API_reads_what_it_is_handed()
    {
        Assert.Equal("secret", Read<PagingOptions>(PagingOptions.Section, (SettingNames.PagingCursorKey, "secret")).CursorKey);
        Assert.Equal("/ca", Read<CacheOptions>(CacheOptions.Section, (SettingNames.CacheTlsCaFile, "/ca")).TlsCaFile);
        Assert.Equal("view", Read<MigrationCheckOptions>(MigrationCheckOptions.Section, (SettingNames.MigrationCheckCollection, "view")).Collection);

        var callers = Read<ApiOptions>(
            ApiOptions.Section, (SettingNames.ApiAuthenticationMode, "Token"), (SettingNames.ApiAuthority, "issuer"), (SettingNames.ApiAudience, "audience"),
            (SettingNames.ApiProxies, "proxies"));
        Assert.Equal(
            (AuthenticationMode.Token, "issuer", "audience", "proxies"),
            (callers.Authentication.Mode!.Value, callers.Authentication.Authority, callers.Authentication.Audience, callers.Proxies));
    }

    // As the provider of environment variables names them.
    private static T Read<T>(string section, params IEnumerable<(string Variable, string Value)> handed) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(
                handed.Select(setting => KeyValuePair.Create(setting.Variable.Replace("__", ":", StringComparison.Ordinal), (string?)setting.Value)))
            .Build().GetSection(section).Get<T>()!;
}
