using Platform.Caching.Catalogue;
using Xunit;

namespace Platform.Tests.Unit.Caching;

public sealed class CacheKeysTests
{
    private const string Tenant = "65f000000000000000000001";

    public static TheoryData<string> Keys =>
    [
        CacheKeys.Tenant("acme").Text,
        CacheKeys.Product(Tenant, "65f000000000000000000002").Text,
        CacheKeys.ProductList(Tenant, null, "[]").Text,
        CacheKeys.ProductList(Tenant, "lamps", "[]").Text,
        CacheKeys.ProductList(Tenant, "any: thing\n~", "[]").Text,
        CacheKeys.Category(Tenant, "lamps").Text,
        CacheKeys.Category(Tenant, "~").Text,
        CacheKeys.StoresNear(Tenant, 7.5, -49.25, 25).Text,
        CacheKeys.Report(Tenant, null, "sales,20261101,20261129,").Text,
    ];

    [Fact]
    public void A_key_begins_with_platform_the_version_the_tenant_and_the_kind() =>
        Assert.Equal(
            "platform:v1:65f000000000000000000001:products:65f000000000000000000002", CacheKeys.Product(Tenant, "65f000000000000000000002").Text);

    [Theory]
    [MemberData(nameof(Keys))]
    public void A_key_is_read_as_it_was_made_and_its_scopes_are_no_entries(string text)
    {
        var key = CacheKeys.Parse(text);
        Assert.NotNull(key);
        Assert.Equal(text, key.Value.Text);
        var scopes = key.Value.Scopes;
        Assert.Equal(text, scopes[0]);
        Assert.Equal(scopes.Length, scopes.Distinct().Count());
        Assert.All(scopes[1..], scope => Assert.Null(CacheKeys.Parse(scope)));
        Assert.All(scopes, scope => Assert.StartsWith(CacheKeys.Prefix, scope, StringComparison.Ordinal));
        Assert.Null(CacheKeys.Parse(CacheKeys.LockOf(text)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\nb")]
    public void What_would_not_be_a_name_is_refused(string id) => Assert.Throws<ArgumentException>(() => CacheKeys.Product(Tenant, id));

    [Fact]
    public void Every_kind_has_its_name_alone_and_lives_that_make_sense()
    {
        Assert.NotEmpty(CacheCatalogue.All);
        Assert.Equal(CacheCatalogue.All.Count, CacheCatalogue.All.Select(cache => cache.Kind).Distinct().Count());
        Assert.All(CacheCatalogue.All, cache =>
        {
            Assert.Same(cache, CacheCatalogue.Find(cache.Kind));
            Assert.DoesNotContain(':', cache.Kind);
            Assert.True(cache.LocalLife <= cache.TimeToLive, cache.Kind);
            Assert.True(cache.SoftTimeout < cache.HardTimeout, cache.Kind);
            Assert.InRange(cache.LocalEntries, 1, 20_000);
        });
    }
}
