namespace Platform.Data.Documents;

/// <summary>How far an order has come.</summary>
public enum OrderStatus
{
    /// <summary>Placed, not paid.</summary>
    Pending,

    /// <summary>Paid, not sent.</summary>
    Paid,

    /// <summary>On its way.</summary>
    Shipped,

    /// <summary>With the customer.</summary>
    Delivered,

    /// <summary>Given up before it was sent.</summary>
    Cancelled,

    /// <summary>Paid back.</summary>
    Refunded,
}
