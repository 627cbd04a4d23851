"""Customers in the admin."""

from django.contrib import admin, messages

from customers.models import Customer


@admin.register(Customer)
class CustomerAdmin(admin.ModelAdmin):
    list_display = ("name", "email", "business", "state")
    search_fields = ("name", "email")
    actions = ("close_accounts",)

    @admin.display(description="State")
    def state(self, customer):
        if customer.closed_at:
            return f"closed on {customer.closed_at:%d %b %Y}"
        return "open"

    @admin.action(description="Close the accounts")
    def close_accounts(self, request, customers):
        closed = 0
        for customer in customers:
            try:
                customer.close()
            except ValueError:
                continue
            closed += 1
        messages.info(request, f"{closed} closed.")
