using Microsoft.Extensions.Time.Testing;
using MongoDB.Bson;
using Platform.Api.Caching;
using Xunit;

namespace Platform.Tests.Unit.Api;

public sealed class NearProductsTests
{
    private static readonly ObjectId Tenant = ObjectId.GenerateNewId();
    private static readonly ObjectId Product = ObjectId.GenerateNewId();

    private readonly FakeTimeProvider _time = new();
    private readonly NearProducts _near;

    public NearProductsTests() => _near = new NearProducts(_time);

    private bool IsThere => !_near.Find(Tenant, Product).IsEmpty;

    [Fact]
    public void What_was_read_is_kept_for_a_second()
    {
        _near.Hear(true);
        Keep(_near.ChangesOf(Tenant, Product));

        Assert.True(IsThere);
        Assert.True(_near.Find(Tenant, ObjectId.GenerateNewId()).IsEmpty);
        Assert.True(_near.Find(ObjectId.GenerateNewId(), Product).IsEmpty);
        _time.Advance(NearProducts.Life);
        Assert.False(IsThere);
    }

    [Fact]
    public void Nothing_is_kept_while_nobody_tells_of_changes()
    {
        Keep(_near.ChangesOf(Tenant, Product));
        Assert.False(IsThere);

        _near.Hear(true);
        Keep(_near.ChangesOf(Tenant, Product));
        _near.Hear(false);
        Assert.False(IsThere);
        Keep(_near.ChangesOf(Tenant, Product));
        Assert.False(IsThere);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_change_forgets_what_was_read_before_it_whether_it_is_kept_by_then_or_not(bool all)
    {
        _near.Hear(true);
        var before = _near.ChangesOf(Tenant, Product);
        Keep(before);
        Forget();
        Assert.False(IsThere);

        // It was on its way when the product changed.
        Keep(before);
        Assert.False(IsThere);
        Keep(_near.ChangesOf(Tenant, Product));
        Assert.True(IsThere);

        void Forget()
        {
            if (all)
            {
                _near.ForgetAll();
            }
            else
            {
                _near.Forget(Tenant, Product);
            }
        }
    }

    private void Keep(long changes) => _near.Keep(Tenant, Product, new byte[] { 1 }, changes);
}
